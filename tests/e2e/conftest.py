"""The tiny distribution, made once; a fresh mirror and place of work for each test."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import pytest
from net.mirror import Mirror
from provider.deb.signed import Signer
from provider.rpm.keys import Key
from provider.rpm.made import needs_rpm
from standin.serve import certificate

from . import tiny_rpm
from .bench import Bench
from .tiny import Package, Tiny, make_distribution, make_packages
from .tiny_rpm import PAST, TinyRpm

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


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Key]]:
    """Return keys that sign rpms, and one that no longer does."""
    folder = tmp_path_factory.mktemp("k")
    made = {name: Key(home=folder / name).make() for name in ("own", "next", "foreign")}
    made["expired"] = Key(home=folder / "expired").make("rsa2048", f"--faked-system-time={PAST}", expire="1y")
    yield made
    for key in made.values():
        key.close()


@pytest.fixture(scope="session")
def rpms(tmp_path_factory: pytest.TempPathFactory, keys: dict[str, Key]) -> dict[str, bytes]:
    needs_rpm()
    return tiny_rpm.make_packages(tmp_path_factory.mktemp("rpms"), keys["own"])


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with an authority, ``ca.crt``, and a server's certificate by it."""
    folder = tmp_path_factory.mktemp("tls")
    certificate(folder)
    tiny_rpm.make_distribution(folder / "distributions")
    return folder


@pytest.fixture
def tiny_rpms(rpms: dict[str, bytes], keys: dict[str, Key], tls: Path, tmp_path: Path) -> Iterator[TinyRpm]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tls / "server.crt", tls / "server.key")
    with Mirror(context) as mirror:
        repository = TinyRpm(mirror=mirror, packages=rpms, key=keys["own"], place=tmp_path / "repository")
        repository.publish()
        yield repository


@pytest.fixture
def rpm_bench(tmp_path: Path, tls: Path, tiny_rpms: TinyRpm) -> Bench:
    made = Bench(place=tmp_path, distributions=tls / "distributions", mirror=tiny_rpms.url, dist="rpm1")
    made.environment["OIC_CA"] = str(tls / "ca.crt")
    made.write()
    return made


@pytest.fixture
def bench(tmp_path: Path, distributions: Path, tiny: Tiny) -> Bench:
    made = Bench(place=tmp_path, distributions=distributions, mirror=tiny.url)
    made.write()
    return made
