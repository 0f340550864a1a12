"""The solver's answer is dnf's, request by request, on the same repositories."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from oic.config.model import Repository
from oic.errors import SolveError
from oic.net import HttpFetcher
from oic.provider.rpm.metadata import read_metadata
from oic.provider.rpm.solve import solve
from oic.store import Store

from .repodata import write_repository

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from oic.ospackage.lock import Lock

DATA = Path(__file__).parents[2] / "data" / "rpm" / "solver"
PYTHON = "/usr/bin/python3"
ASKED = Path(__file__).with_name("dnf_answers.py")

pytestmark = pytest.mark.skipif(shutil.which("dnf") is None, reason="needs dnf (apt-get install dnf)")


@dataclass(frozen=True, kw_only=True)
class Case:
    """A made repository, or several, and what is asked of it."""

    name: str
    why: str
    data: dict[str, Any]

    def repositories(self, place: Path) -> list[Repository]:
        return [
            Repository(
                name=name,
                url=write_repository(place / name, packages),
                suite="",
                components=(),
                keys=(),
                trusted=True,
                priority=self.data.get("priorities", {}).get(name, 0),
                allow_packages=tuple(self.data.get("allowed", {}).get(name, ())),
            )
            for name, packages in self.data["repositories"].items()
        ]


def cases() -> list[Case]:
    return [
        Case(name=f"{file.stem}{number}", why=data["why"], data=data)
        for file in sorted(DATA.glob("*.yml"))
        for number, data in enumerate(filter(None, yaml.safe_load_all(file.read_text())), 1)
    ]


CASES = cases()


def dnf_answers(questions: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    ran = subprocess.run(
        [PYTHON, "-I", str(ASKED)], input=json.dumps(questions), capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    found: list[dict[str, Any]] = json.loads(ran.stdout)
    return found


def question(repositories: Iterable[Repository], words: Sequence[str], *, weak: bool, cache: str) -> dict[str, Any]:
    entries = [
        {"name": entry.name, "url": entry.url, "priority": entry.priority, "allowed": list(entry.allow_packages)}
        for entry in repositories
    ]
    return {"repositories": entries, "install": list(words), "recommends": weak, "cache": cache}


def request_for(words: Sequence[str], *, weak: bool = False) -> dict[str, Any]:
    return {
        "architecture": "x86_64",
        "recommends": weak,
        "sets": {"image": {"names": list(words), "essential": True}},
    }


def nevras(lock: Lock) -> list[str]:
    return sorted(
        f"{one.name}-{one.version if ':' in one.version else f'0:{one.version}'}.{one.architecture}@{one.repository}"
        for one in lock.sets["image"]
    )


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[dict[str, Any], Store, list[dict[str, Any]]]]:
    """Each case's index, the store, and dnf's answers: to its requests, then to those to be refused."""
    place = tmp_path_factory.mktemp("repositories")
    store = Store(place / "store")
    indexes, questions = {}, []
    with HttpFetcher() as fetcher:
        for case in CASES:
            repositories = case.repositories(place / case.name)
            indexes[case.name] = read_metadata(repositories, "x86_64", fetcher, store, {})
            questions += [
                question(repositories, words, weak=case.data.get("weak", False), cache=case.name)
                for words in (*case.data.get("requests", ()), *case.data.get("refused", ()))
            ]
    answers = iter(dnf_answers(questions))
    counts = {case.name: len(case.data.get("requests", ())) + len(case.data.get("refused", ())) for case in CASES}
    return {name: (index, store, [next(answers) for _ in range(counts[name])]) for name, index in indexes.items()}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.name}: {case.why}")
def test_the_answer_is_dnfs(case: Case, both: dict[str, tuple[dict[str, Any], Store, list[dict[str, Any]]]]) -> None:
    index, store, answers = both[case.name]
    weak = case.data.get("weak", False)
    good, bad = case.data.get("requests", ()), case.data.get("refused", ())
    different = []
    for words, answer in zip((*good, *bad), answers, strict=True):
        try:
            ours = nevras(solve(index, request_for(words, weak=weak), store))
            said = ""
        except SolveError as error:
            ours, said = None, str(error)
        if ours != answer["packages"]:
            different.append((words, ours or said, answer["packages"] or answer["words"]))
    assert different == []
    # What the case says of itself is no expectation of the answer, only that there is one: a typing error shows.
    assert [answer["packages"] is not None for answer in answers] == [True] * len(good) + [False] * len(bad)


def test_there_are_repositories_enough() -> None:
    assert len(CASES) >= 30
    assert len({case.why for case in CASES}) == len(CASES)
