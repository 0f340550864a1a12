"""The verdict on Debian packages: whose signed index lists them, and that they are still what it says."""

from __future__ import annotations

import hashlib
import io
import tarfile
from typing import TYPE_CHECKING

import pytest
from ospackage.asked import NOTHING_ASKED

from oic.errors import TrustError
from oic.ospackage.lock import Lock, LockedPackage, LockedRepository
from oic.ospackage.store import Store
from oic.provider.deb.family import verify
from oic.provider.protocol import Verdict
from oic.values import Bytes, Digest

if TYPE_CHECKING:
    from pathlib import Path

KEY = "A" * 40


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def _deb(name: str, files: dict[str, str] | None = None) -> bytes:
    """Return a package of these control files, put together as dpkg-deb would not."""
    control = {"control": f"Package: {name}\nVersion: 1\nArchitecture: all\n", **(files or {})}
    members = {"debian-binary": b"2.0\n", "control.tar": _tar(control), "data.tar": _tar({})}
    whole = b"!<arch>\n"
    for member, data in members.items():
        whole += (
            f"{member:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(data):<10}`\n".encode() + data + b"\n" * (len(data) % 2)
        )
    return whole


def _tar(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text.encode())
            tar.addfile(entry, io.BytesIO(text.encode()))
    return buffer.getvalue()


def _package(store: Store, name: str, repository: str, files: dict[str, str] | None = None) -> LockedPackage:
    data = _deb(name, files)
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
    lock = Lock(request=Digest("0" * 64), asked=NOTHING_ASKED, repositories=repositories, sets={"image": packages})
    return verify(lock, packages, store)


def test_the_verdict_says_who_signed_the_index(store: Store) -> None:
    verdicts = _verdicts(store, _package(store, "a", "signed"), _package(store, "b", "trusted"))
    assert verdicts == {
        "a": Verdict(signed=True, words=f"sha256 listed by signed, signed by {KEY}"),
        "b": Verdict(signed=False, words="unsigned: sha256 listed by trusted, which the recipe trusts"),
    }


@pytest.mark.parametrize("repository", ["neither", "unheard of"])
def test_a_package_of_an_unsigned_repository_is_refused(repository: str, store: Store) -> None:
    with pytest.raises(TrustError, match=f"a 1: nobody signed its repository {repository}"):
        _verdicts(store, _package(store, "a", repository))


def test_every_bad_package_is_reported_at_once(store: Store) -> None:
    packages = [_package(store, name, "signed") for name in ("a", "b", "c")]
    for package in packages[:2]:
        store.path(package.sha256).chmod(0o644)
        store.path(package.sha256).write_bytes(b"damaged")
    with pytest.raises(TrustError) as raised:
        _verdicts(store, *packages)
    assert all(f"{name} 1: " in str(raised.value) for name in ("a", "b"))
    assert "c 1: " not in str(raised.value)


GOOD = "Package: a\nVersion: 1\nArchitecture: all\n"


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (
            {"control": GOOD.replace("Package: a", "Package: ../../etc/b")},
            r"expected the package a 1 all, found '\.\./",
        ),
        ({"control": GOOD.replace("Version: 1", "Version: 2")}, "expected the package a 1 all, found 'a' '2' 'all'"),
        ({"control": GOOD.replace(": all", ": amd64")}, "expected the package a 1 all, found 'a' '1' 'amd64'"),
        ({"control": GOOD.replace("Package: a\n", "")}, "expected the field Package in the control file, found none"),
        ({"control": f"{GOOD}package: b\n"}, "expected the field 'package' once, found it again"),
        ({"control": f" folded\n{GOOD}"}, "expected a field, found a continuation line first"),
        ({"../sh": ""}, "expected control files of plain names, found '../sh'"),
        ({"sub/sh": ""}, "expected control files of plain names, found 'sub/sh'"),
        ({"..": ""}, r"expected control files of plain names, found '\.\.'"),
        (
            {"triggers": "interest ../../etc/x\n"},
            "expected interest or activate and a trigger's name, found 'interest \\.",
        ),
        ({"triggers": "interest /usr/../etc\n"}, "expected interest or activate and a trigger's name"),
        ({"triggers": "interest-noawait File\n"}, "expected interest or activate and a trigger's name"),
        ({"triggers": "interest a\u00e9\n"}, "expected interest or activate and a trigger's name"),
        ({"triggers": "interest a b\n"}, "expected interest or activate and a trigger's name"),
        ({"triggers": "listen a\n"}, "expected interest or activate and a trigger's name, found 'listen a'"),
    ],
)
def test_a_package_that_differs_from_the_lock_or_has_invalid_names_is_refused(
    files: dict[str, str], words: str, store: Store
) -> None:
    with pytest.raises(TrustError, match=f"a 1: .*{words}"):
        _verdicts(store, _package(store, "a", "signed", files))


def test_triggers_that_dpkg_accepts_are_accepted(store: Store) -> None:
    text = "# a comment\n\ninterest-noawait /usr/share/a\n  activate ldconfig\ninterest-await a-b.c\n"
    assert _verdicts(store, _package(store, "a", "signed", {"triggers": text}))["a"].signed
