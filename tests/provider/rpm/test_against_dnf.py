"""The solver's answer is dnf's, request by request, on the same repositories."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from ospackage.asked import asked
from standin.fixtures import Standin, standin

from oic.config.final import load_config
from oic.config.repository import Key, Repository
from oic.errors import SolveError
from oic.ospackage.http import HttpFetcher
from oic.ospackage.store import Store
from oic.plan.packages import request_of
from oic.provider.protocol import Previous
from oic.provider.rpm.metadata import read_metadata
from oic.provider.rpm.pool import Packages
from oic.provider.rpm.solve import solve, sources_of

from .repodata import write_repository

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from oic.handover.packages import Index
    from oic.ospackage.lock import Lock
    from oic.ospackage.locked import Request

DATA = Path(__file__).parents[2] / "data" / "rpm" / "solver"
PYTHON = "/usr/bin/python3"
ASKED = Path(__file__).with_name("dnf_answers.py")

__all__ = ["standin"]

RECIPES = Path(__file__).parents[3] / "recipes"

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


def question(
    repositories: Iterable[Repository], words: Sequence[str], *, weak: bool, cache: str, ca: str = ""
) -> dict[str, Any]:
    entries = [
        {
            "name": entry.name,
            "url": entry.url,
            "priority": entry.priority,
            "allowed": list(entry.allow_packages),
            "sslcacert": ca,
        }
        for entry in repositories
    ]
    return {"repositories": entries, "install": list(words), "recommends": weak, "cache": cache}


def request_for(words: Sequence[str], *, weak: bool = False) -> Request:
    return asked(*words, architecture="x86_64", recommends=weak)


def nevras(lock: Lock) -> list[str]:
    return sorted(
        f"{one.name}-{one.version if ':' in one.version else f'0:{one.version}'}.{one.architecture}@{one.repository}"
        for one in lock.sets["image"]
    )


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Index, Store, list[dict[str, Any]]]]:
    """Each case's index, the store, and dnf's answers: to its requests, then to those to be refused."""
    place = tmp_path_factory.mktemp("repositories")
    store = Store(place / "store")
    indexes, questions = {}, []
    with HttpFetcher() as fetcher:
        for case in CASES:
            repositories = case.repositories(place / case.name)
            indexes[case.name] = read_metadata(repositories, "x86_64", fetcher, store, Previous()).index
            questions += [
                question(repositories, words, weak=case.data.get("weak", False), cache=case.name)
                for words in (*case.data.get("requests", ()), *case.data.get("refused", ()))
            ]
    answers = iter(dnf_answers(questions))
    counts = {case.name: len(case.data.get("requests", ())) + len(case.data.get("refused", ())) for case in CASES}
    return {name: (index, store, [next(answers) for _ in range(counts[name])]) for name, index in indexes.items()}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.name}: {case.why}")
def test_the_solution_is_that_of_dnf(case: Case, both: dict[str, tuple[Index, Store, list[dict[str, Any]]]]) -> None:
    index, store, answers = both[case.name]
    weak = case.data.get("weak", False)
    good, bad = case.data.get("requests", ()), case.data.get("refused", ())
    different = []
    for words, answer in zip((*good, *bad), answers, strict=True):
        ours, said = _ours(index, words, store, weak=weak)
        if ours != answer["packages"]:
            different.append((words, ours or said, answer["packages"] or answer["words"]))
    assert different == []
    # What the case says of itself is no expectation of the answer, only that there is one: a typing error shows.
    assert [answer["packages"] is not None for answer in answers] == [True] * len(good) + [False] * len(bad)


def test_the_random_repositories_are_varied() -> None:
    assert len(CASES) >= 30
    assert len({case.why for case in CASES}) == len(CASES)


@pytest.mark.parametrize("name", ["azl3", "emt3"])
@pytest.mark.parametrize("weak", ["", "weak"])
def test_the_solution_is_that_of_dnf_for_a_whole_distribution(
    name: str,
    weak: str,
    standin: Standin,
    tmp_path: Path,
) -> None:
    signed = (standin.folders[name] / "repodata/repomd.xml.asc").exists()
    key = Key(source=str(standin.keys[name]))
    repository = Repository(name="base", url=standin.urls[name], keys=(key,), signed_metadata=signed)
    store = Store(tmp_path / "store")
    with HttpFetcher(ca=standin.ca) as fetcher:
        index = read_metadata([repository], "x86_64", fetcher, store, Previous()).index
    requests = [*_defaults(name), *_drawn(index, store)]
    questions = [question([repository], words, weak=bool(weak), cache=name, ca=str(standin.ca)) for words in requests]
    different = []
    for words, answer in zip(requests, dnf_answers(questions), strict=True):
        ours, said = _ours(index, words, store, weak=bool(weak))
        if ours != answer["packages"]:
            different.append((words, said or answer["words"] or set(ours or ()) ^ set(answer["packages"] or ())))
    assert different == []


def _ours(index: Index, words: Sequence[str], store: Store, *, weak: bool) -> tuple[list[str] | None, str]:
    """Return the packages, or None and why."""
    try:
        return nevras(solve(index, request_for(words, weak=weak), store)), ""
    except SolveError as error:
        return None, str(error)


def _defaults(name: str) -> list[list[str]]:
    """Return what the shipped recipes ask for: image and tools."""
    recipes = [load_config(RECIPES / f"{name}-{kind}.yml", {}) for kind in ("minimal", "edge")]
    return [list(asked.names) for recipe in recipes for asked in request_of(recipe).sets.values()]


def _drawn(index: Index, store: Store) -> list[list[str]]:
    """Return names drawn from the repository, alone and together: the same ones each time."""
    (source,) = sources_of(index, store).values()
    names = sorted(Packages([source], "x86_64").by_name)
    dice = random.Random(3)
    return [[name] for name in dice.sample(names, 40)] + [dice.sample(names, 3) for _ in range(20)]
