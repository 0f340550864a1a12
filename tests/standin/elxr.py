"""A stand-in for Wind River eLxr 12 and 13: a signed deb repository, created from the indexes of Debian 12 and 13.

    Debian's Packages (verified by oic) ─┐
    eLxr's own packages (dpkg-deb) ──────┴─> dists/aria/…/Packages.gz ─> Release ─gpg─> Release.gpg, InRelease

* Each suite is an `Edition`: ``aria`` from Debian 12, ``bianca`` from Debian 13, both with Debian's updates.
* The package files are those of the mirror: the server fetches, verifies and keeps each file that a client requests.
* The same Debian index gives the same bytes, including signatures: the date is that of Debian's release.
* The key, ``keys/elxr.*.asc``, is a test key that protects nothing.
"""

from __future__ import annotations

import contextlib
import fcntl
import gzip
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from oic.config.apt_sources import read_mirrors
from oic.config.repository import Key, Repository
from oic.errors import OicError
from oic.files import atomic_file
from oic.handover.packages import Index  # noqa: TC001 - read when it is decoded
from oic.ospackage.http import HttpFetcher
from oic.ospackage.indexed import DebRepository
from oic.ospackage.store import Store
from oic.provider.compression import decompressed
from oic.provider.deb.metadata import read_metadata
from oic.provider.documents import Answer  # noqa: TC001 - as above
from oic.provider.protocol import Previous
from oic.values import Digest, Value, digest_of, to_json

from .editions import DEBIANS, EDITIONS, OWN, Edition, Package
from .release import release_text, write_release
from .serve import Served, serving

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

VERSION = 2
"""The version of the repository's format; a new version creates the repository again."""

KEY = Path(__file__).with_name("keys") / "elxr.pub.asc"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
MAX_INDEX_BYTES = 2**28


@dataclass(frozen=True, slots=True, kw_only=True)
class Repo:
    """A created repository: its files are below `tree`; `packages` has the sha256 and size of each package by path."""

    tree: Path
    store: Store
    mirror: str
    packages: dict[str, tuple[str, int]]

    def prepare(self, file: Path) -> None:
        """Fetch a package file of the index into the tree; if the mirror fails, print the error and do nothing."""
        path = str(file.relative_to(self.tree)) if file.is_relative_to(self.tree) else ""
        if path in self.packages and not file.exists():
            try:
                blob = self._fetched(path, *self.packages[path])
            except OicError as error:
                sys.stderr.write(f"{error}\n")
                return
            file.parent.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(FileExistsError):  # two requests at the same time
                os.link(blob, file)

    def _fetched(self, path: str, digest: str, size: int) -> Path:
        if not self.store.has(Digest(digest)):
            with HttpFetcher() as fetcher:
                body = fetcher.fetch(f"{self.mirror}/{path}", limit=size).body or b""
            if self.store.add(body) != digest:
                raise OicError(f"expected {path} on the mirror with the sha256 of its index, found another one")
        return self.store.path(Digest(digest))


@contextlib.contextmanager
def serving_elxr(place: Path) -> Iterator[Served]:
    """Create the repository below `place` and serve it while the body runs; raises OicError."""
    repo = make(place)
    with serving(repo.tree.parent, prepare=repo.prepare) as served:
        yield replace(served, url=f"{served.url}/elxr")


def make(place: Path) -> Repo:
    """Create the repository below `place` if it does not exist; raises OicError without a Debian mirror."""
    place.mkdir(parents=True, exist_ok=True)
    with (place / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return _make(place)


def _make(place: Path) -> Repo:
    mirror, entries = _debian(place)
    key = digest_of([VERSION, *((entry.date, entry.packages) for entry in entries)])[:16]
    tree = place / key / "elxr"
    if not tree.is_dir():
        tree.parent.mkdir(exist_ok=True)
        for left in tree.parent.glob("*.part"):  # from a killed run
            shutil.rmtree(left)
        aside = Path(tempfile.mkdtemp(suffix=".part", dir=tree.parent))
        _write(aside, place, entries)
        aside.chmod(0o755)
        aside.replace(tree)
    packages: dict[str, tuple[str, int]] = {}
    for index in tree.glob("dists/*/*/binary-amd64/Packages.gz"):
        packages.update(_listed(gzip.decompress(index.read_bytes())))
    return Repo(tree=tree, store=Store(place / "store"), mirror=mirror, packages=packages)


class _Kept(Value):
    index: Index
    answers: dict[str, Answer]


def _debian(place: Path) -> tuple[str, tuple[DebRepository, ...]]:
    """Return the host's Debian mirror and the verified index of each suite, whose Packages files are in the store."""
    mirror = read_mirrors(("bookworm", "stable", "oldstable"), (KEYRING,)).main
    if mirror is None:
        raise OicError("expected an apt source of Debian 12, found none", where="/etc/apt")
    repositories = [
        Repository(name=suite, url=mirror, suite=suite, components=DEBIANS, keys=(Key(source=KEYRING),))
        for edition in EDITIONS
        for suite in edition.debian
    ]
    memo = place / "debian.json"
    before = Previous()
    with contextlib.suppress(OSError, ValueError):
        kept = msgspec.json.decode(memo.read_bytes(), type=_Kept)
        before = Previous(index=kept.index, answers=kept.answers)
    with HttpFetcher() as fetcher:
        found = read_metadata(repositories, "amd64", fetcher, Store(place / "store"), before)
    with atomic_file(memo) as aside:
        aside.write_text(to_json(_Kept(index=found.index, answers=dict(found.answers))))
    return mirror, found.index.of(DebRepository)


def _write(tree: Path, place: Path, entries: Sequence[DebRepository]) -> None:
    """Write every edition; all contain the same packages of eLxr."""
    own = b"".join(_build(package, tree, int(min(entry.date for entry in entries).timestamp())) for package in OWN)
    for edition in EDITIONS:
        (tree / edition.key).write_bytes(KEY.read_bytes())
        parts = [entry for entry in entries if entry.name in edition.debian]
        date = max(entry.date for entry in parts)
        for component, debians in edition.components.items():
            text = _packages(Store(place / "store"), parts, debians)
            path = tree / edition.index(component)
            path.parent.mkdir(parents=True)
            path.write_bytes(gzip.compress(text + (own if component == "main" else b""), compresslevel=1, mtime=0))
        sign_edition(tree, edition, date)


def _packages(store: Store, entries: Sequence[DebRepository], component: str) -> bytes:
    """Return the stanzas of a Debian component."""
    texts = [
        decompressed(store.read(file.sha256), file.compression, MAX_INDEX_BYTES, where=component).rstrip(b"\n")
        + b"\n\n"
        for entry in entries
        for file in entry.packages
        if file.component == component
    ]
    return b"".join(text for text in texts if text.strip())


def _build(package: Package, tree: Path, epoch: int) -> bytes:
    """Build a package into the pool; return its stanza for the index."""
    control = (
        f"Package: {package.name}\nVersion: {package.version}\nArchitecture: all\nSection: misc\nPriority: optional\n"
        f"Maintainer: nobody <nobody@stand-in.invalid>\nDescription: {package.text}\n"
    )
    pool = f"pool/main/e/{package.name}"
    file = tree / pool / f"{package.name}_{package.version}_all.deb"
    file.parent.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as work:
        root = Path(work)
        root.chmod(0o755)
        for name, text in {"DEBIAN/control": control, **package.files}.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(_dearmored(KEY) if name.endswith(".gpg") else text.encode())
            path.chmod(0o644)
        for path in root.rglob("*"):
            if path.is_dir():
                path.chmod(0o755)
        env = {"PATH": os.environ["PATH"], "SOURCE_DATE_EPOCH": str(epoch), "LC_ALL": "C"}
        for path in (root, *root.rglob("*")):
            os.utime(path, (epoch, epoch))
        argv = ["dpkg-deb", "--root-owner-group", "-Zxz", "--build", str(root), str(file)]
        subprocess.run(argv, env=env, check=True, capture_output=True)
    data = file.read_bytes()
    where = f"Filename: {pool}/{file.name}\nSize: {len(data)}\nSHA256: {hashlib.sha256(data).hexdigest()}\n\n"
    return (control + where).encode()


def _dearmored(key: Path) -> bytes:
    return subprocess.run(["gpg", "--dearmor"], input=key.read_bytes(), check=True, capture_output=True).stdout


def sign_edition(tree: Path, edition: Edition, date: datetime) -> None:
    """Write the signed Release files of an edition whose lists are below `tree`."""
    fields = {
        "Origin": "eLxr",
        "Label": "stand-in for eLxr",
        "Suite": edition.suite,
        "Codename": edition.suite,
        "Version": edition.version,
        "Date": format_datetime(date.astimezone(UTC), usegmt=True),
        "Architectures": "amd64",
        "Components": " ".join(edition.components),
        "Description": "A stand-in made of Debian, for tests",
    }
    folder = tree / "dists" / edition.suite
    lists = (edition.index(component).removeprefix(f"dists/{edition.suite}/") for component in edition.components)
    write_release(folder, release_text(folder, fields, lists), "elxr", int(date.timestamp()))


def _listed(text: bytes) -> Iterator[tuple[str, tuple[str, int]]]:
    """Yield each package file of an index: its path, sha256 and size."""
    for stanza in text.split(b"\n\n"):
        fields = dict(line.split(b": ", 1) for line in stanza.splitlines() if line[:4] in (b"File", b"Size", b"SHA2"))
        if fields:
            path, digest, size = (fields[name].decode() for name in (b"Filename", b"SHA256", b"Size"))
            yield path, (digest, int(size))
