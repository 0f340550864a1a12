"""The solver's answer is dnf's on hundreds of repositories and requests drawn by chance."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from oic.errors import SolveError
from oic.ospackage.http import HttpFetcher
from oic.ospackage.store import Store
from oic.provider.protocol import Previous
from oic.provider.rpm.metadata import read_metadata
from oic.provider.rpm.solve import solve

from .drawn import Drawing
from .test_against_dnf import Case, dnf_answers, nevras, question, request_for

if TYPE_CHECKING:
    from pathlib import Path

SEEDS = range(120)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("dnf") is None, reason="needs dnf (apt-get install dnf)"),
]


def test_the_solution_is_that_of_dnf_for_random_repositories(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    asked, questions = [], []
    with HttpFetcher() as fetcher:
        for seed in SEEDS:
            case = Case(name=f"{seed}", why="drawn", data=Drawing(seed).case())
            repositories = case.repositories(tmp_path / case.name)
            index = read_metadata(repositories, "x86_64", fetcher, store, Previous()).index
            for words in case.data["asked"]:
                asked.append((seed, words, index, case.data["weak"]))
                one = question(repositories, words, weak=case.data["weak"], cache=f"{seed}")
                questions.append({**one, "excluded": ["*.i686"]})
    different = []
    solved = 0
    for (seed, words, index, weak), answer in zip(asked, dnf_answers(questions), strict=True):
        try:
            ours = nevras(solve(index, request_for(words, weak=weak), store))
        except SolveError:
            ours = None
        solved += ours is not None
        if ours != answer["packages"]:
            different.append((seed, words, ours, answer["packages"]))
    assert different == []
    assert len(asked) // 4 < solved < len(asked) * 3 // 4, "both kinds of answers are worth comparing"
