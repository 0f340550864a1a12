"""The tiny distribution, made once; a fresh mirror and place of work for each test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from net.mirror import Mirror
from provider.deb.signed import Signer

from .bench import Bench
from .tiny import Package, Tiny, make_distribution, make_packages

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def signers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Signer]]:
    folder = tmp_path_factory.mktemp("k")  # a short path: gpg-agent's socket lives below it
    made = {name: Signer(home=folder / name).make() for name in ("archive", "foreign")}
    yield made
    for signer in made.values():
        signer.close()


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Package]:
    return make_packages(tmp_path_factory.mktemp("packages"))


@pytest.fixture(scope="session")
def distributions(tmp_path_factory: pytest.TempPathFactory, signers: dict[str, Signer]) -> Path:
    place = tmp_path_factory.mktemp("distributions")
    make_distribution(place, signers["archive"].home / "public.gpg")
    return place


@pytest.fixture
def tiny(packages: dict[str, Package], signers: dict[str, Signer]) -> Iterator[Tiny]:
    with Mirror() as mirror:
        repository = Tiny(mirror=mirror, packages=packages, signer=signers["archive"])
        repository.publish()
        yield repository


@pytest.fixture
def bench(tmp_path: Path, distributions: Path, tiny: Tiny) -> Bench:
    made = Bench(place=tmp_path, distributions=distributions, mirror=tiny.url)
    made.write()
    return made
