"""The verdict on Debian packages: whose signed index lists them, and that they are still what it says."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from oic.errors import TrustError
from oic.ospackage.lock import Lock, LockedPackage, LockedRepository
from oic.provider.deb.family import verify
from oic.provider.protocol import Verdict
from oic.store import Store
from oic.values import Bytes, Digest

if TYPE_CHECKING:
    from pathlib import Path

KEY = "A" * 40


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def _package(store: Store, name: str, repository: str) -> LockedPackage:
    data = name.encode()
    store.add(data)
    return LockedPackage(
        name=name,
        version="1",
        architecture="all",
        repository=repository,
        location=f"{name}.deb",
        url=f"file:///{name}.deb",
        size=Bytes(len(data)),
        sha256=Digest(hashlib.sha256(data).hexdigest()),
        essential=False,
        requested=(),
        requires=(),
    )


def _repository(name: str, *signers: str, trusted: bool = False) -> LockedRepository:
    return LockedRepository(
        name=name, url="file:///", suite="tiny", components=(), signers=signers, keys=(), trusted=trusted
    )


def _verdicts(store: Store, *packages: LockedPackage) -> dict[str, Verdict]:
    repositories = (_repository("signed", KEY), _repository("trusted", trusted=True), _repository("neither"))
    lock = Lock(request=Digest("0" * 64), asked={}, repositories=repositories, sets={"image": packages})
    return verify(lock, packages, store)


def test_says_who_signed_the_index_or_that_nobody_did(store: Store) -> None:
    verdicts = _verdicts(store, _package(store, "a", "signed"), _package(store, "b", "trusted"))
    assert verdicts == {
        "a": Verdict(signed=True, words=f"sha256 listed by signed, signed by {KEY}"),
        "b": Verdict(signed=False, words="unsigned: sha256 listed by trusted, which the recipe trusts"),
    }


@pytest.mark.parametrize("repository", ["neither", "unheard of"])
def test_a_repository_that_nobody_vouches_for_is_refused(repository: str, store: Store) -> None:
    with pytest.raises(TrustError, match=f"a 1: nobody signed its repository {repository}"):
        _verdicts(store, _package(store, "a", repository))


def test_every_bad_package_is_told_at_once(store: Store) -> None:
    packages = [_package(store, name, "signed") for name in ("a", "b", "c")]
    for package in packages[:2]:
        store.path(package.sha256).chmod(0o644)
        store.path(package.sha256).write_bytes(b"damaged")
    with pytest.raises(TrustError) as raised:
        _verdicts(store, *packages)
    assert all(f"{name} 1: " in str(raised.value) for name in ("a", "b"))
    assert "c 1: " not in str(raised.value)
