"""The solver's answer is apt's, request by request, on the same metadata of the host's own mirror."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from oic.config.apt_sources import read_mirrors
from oic.config.repository import Key, Repository
from oic.errors import SolveError
from oic.ospackage.http import HttpFetcher
from oic.ospackage.store import Store
from oic.provider.deb.metadata import read_metadata
from oic.provider.deb.solve import select_packages, sources_of
from oic.provider.deb.specs import resolve_specs
from oic.provider.deb.universe import Universe
from oic.provider.protocol import Previous

from .apt import Apt, make_apt

if TYPE_CHECKING:
    from collections.abc import Iterable

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
REQUESTS = Path(__file__).parents[2] / "data" / "apt-requests.txt"
QUICK, LONG = REQUESTS.read_text().split("# --")

pytestmark = [
    pytest.mark.mirror,
    pytest.mark.skipif(shutil.which("apt-get") is None, reason="needs apt-get"),
    pytest.mark.skipif(not Path(KEYRING).is_file(), reason="needs debian-archive-keyring"),
]


def requests_of(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines() if line.strip() and not line.startswith("#")]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Universe, Apt]:
    mirrors = read_mirrors(("bookworm", "stable", "oldstable"), (KEYRING,))
    if mirrors.main is None or mirrors.security is None:
        pytest.skip("needs apt sources of Debian 12, with security")
    suites = [("bookworm", mirrors.main), ("bookworm-updates", mirrors.main), ("bookworm-security", mirrors.security)]
    repositories = [
        Repository(name=suite, url=url, suite=suite, components=("main",), keys=(Key(source=KEYRING),))
        for suite, url in suites
    ]
    root = tmp_path_factory.mktemp("apt")
    store = Store(root / "store")
    with HttpFetcher() as fetcher:
        index = read_metadata(repositories, "amd64", fetcher, store, Previous()).index
    return Universe(list(sources_of(index, store).values()), "amd64"), make_apt(root / "apt", index, store)


def ours(universe: Universe, names: Iterable[str]) -> frozenset[str]:
    try:
        requested = resolve_specs(universe, names)
        start = [package for name in requested.specs if (package := universe.candidate(name))]
        return frozenset(map(str, select_packages(universe, start, recommends=False)))
    except SolveError:
        return frozenset()


def differences(universe: Universe, apt: Apt, requests: list[list[str]]) -> list[str]:
    essential = universe.essential()
    asked = [list(dict.fromkeys([*names, *essential])) for names in requests]
    with ThreadPoolExecutor(max_workers=2) as pool:
        answers = list(pool.map(apt.install, asked))
    told = []
    for names, everything, answer in zip(requests, asked, answers, strict=True):
        mine = ours(universe, everything)
        if mine != answer.packages:
            more, less = sorted(mine - answer.packages), sorted(answer.packages - mine)
            told.append(f"{' '.join(names)}: we add {more}, we lack {less} {answer.refusal[-300:]}")
    return told


def test_each_solution_is_that_of_apt(both: tuple[Universe, Apt]) -> None:
    requests = requests_of(QUICK)
    assert len(requests) >= 60
    assert differences(*both, requests) == []


@pytest.mark.slow
def test_each_large_solution_is_that_of_apt(both: tuple[Universe, Apt]) -> None:
    assert differences(*both, requests_of(LONG)) == []


def test_the_comparison_notices_a_difference(both: tuple[Universe, Apt]) -> None:
    universe, apt = both
    assert ours(universe, ["bash"]) != apt.install(["bash", "hello"]).packages
    assert "hello" in {package.split()[0] for package in apt.install(["hello"]).packages}
