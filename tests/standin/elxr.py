"""A stand-in for Wind River eLxr 12: a signed deb repository, suite ``aria``, made of Debian 12's index.

    Debian 12's Packages (verified by oic) ─┐
    packages of eLxr's own (dpkg-deb) ──────┴─> dists/aria/…/Packages.gz ─> Release ─gpg─> Release.gpg, InRelease

* Two components, ``main`` and ``non-free-firmware``: Debian's with its updates; eLxr has one suite for both.
* The package files are the mirror's own: the server fetches, verifies and keeps those that are asked for.
* The same index of Debian's makes the same bytes, signatures included: the date is that of Debian's release.
* The key, ``keys/elxr.*.asc``, is a test key and worth nothing.
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

from .serve import Served, serving
from .signing import signer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

VERSION = 1
"""Of what is made here: another one makes it anew."""

KEY = Path(__file__).with_name("keys") / "elxr.pub.asc"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
COMPONENTS = ("main", "non-free-firmware")
SUITES = ("bookworm", "bookworm-updates")
MOST = 2**28


@dataclass(frozen=True, slots=True, kw_only=True)
class Repo:
    """A repository that is made: its files below `tree`, and of each package (by path) sha256 and size."""

    tree: Path
    store: Store
    mirror: str
    packages: dict[str, tuple[str, int]]

    def prepare(self, file: Path) -> None:
        """Bring a package file that the index names into the tree; when the mirror fails, say so: it is not there."""
        path = str(file.relative_to(self.tree)) if file.is_relative_to(self.tree) else ""
        if path in self.packages and not file.exists():
            try:
                blob = self._fetched(path, *self.packages[path])
            except OicError as error:
                sys.stderr.write(f"{error}\n")
                return
            file.parent.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(FileExistsError):  # asked for twice at a time
                os.link(blob, file)

    def _fetched(self, path: str, digest: str, size: int) -> Path:
        if not self.store.has(Digest(digest)):
            with HttpFetcher() as fetcher:
                body = fetcher.fetch(f"{self.mirror}/{path}", limit=size).body or b""
            if self.store.add(body) != digest:
                raise OicError(f"the mirror has another {path} than its index says")
        return self.store.path(Digest(digest))


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """A package of eLxr's own; a file of it whose name ends in ``.gpg`` is the public key."""

    name: str
    version: str
    text: str
    files: dict[str, str]


OWN = (
    Package(
        name="elxr-archive-keyring",
        version="2024.1",
        text="key of the eLxr stand-in's archive\n A test key, worth nothing.",
        files={"usr/share/keyrings/elxr-archive-keyring.gpg": ""},
    ),
    Package(
        name="uefi-ext4",
        version="1.0-1",
        text="stand-in for the ext4 driver of UEFI\n Debian has none: this package is empty.",
        files={
            "usr/share/doc/uefi-ext4/README.standin": "Debian has no ext4 driver for UEFI: there is none in here.\n"
        },
    ),
)


@contextlib.contextmanager
def serving_elxr(place: Path) -> Iterator[Served]:
    """Make the repository below `place` and serve it while the body runs; raises OicError."""
    repo = make(place)
    with serving(repo.tree.parent, prepare=repo.prepare) as served:
        yield replace(served, url=f"{served.url}/elxr")


def make(place: Path) -> Repo:
    """Make the repository below `place`, or find it made; raises OicError without Debian's mirror."""
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
        for left in tree.parent.glob("*.part"):  # by a run that was killed
            shutil.rmtree(left)
        aside = Path(tempfile.mkdtemp(suffix=".part", dir=tree.parent))
        _write(aside, place, entries)
        aside.chmod(0o755)
        aside.replace(tree)
    packages: dict[str, tuple[str, int]] = {}
    for component in COMPONENTS:
        packages.update(_listed(gzip.decompress((tree / _index(component)).read_bytes())))
    return Repo(tree=tree, store=Store(place / "store"), mirror=mirror, packages=packages)


def _index(component: str) -> str:
    return f"dists/aria/{component}/binary-amd64/Packages.gz"


class _Kept(Value):
    index: Index
    answers: dict[str, Answer]


def _debian(place: Path) -> tuple[str, tuple[DebRepository, ...]]:
    """Return the host's Debian mirror and the verified index of each suite, its Packages in the store."""
    mirror = read_mirrors(("bookworm", "stable", "oldstable"), (KEYRING,)).main
    if mirror is None:
        raise OicError("expected an apt source of Debian 12, found none", where="/etc/apt")
    repositories = [
        Repository(name=suite, url=mirror, suite=suite, components=COMPONENTS, keys=(Key(source=KEYRING),))
        for suite in SUITES
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
    store = Store(place / "store")
    date = max(entry.date for entry in entries)
    (tree / "public.gpg").write_bytes(KEY.read_bytes())
    own = b"".join(_build(package, tree, int(date.timestamp())) for package in OWN)
    for component in COMPONENTS:
        texts = [
            decompressed(store.read(file.sha256), file.compression, MOST, where=component).rstrip(b"\n")
            for entry in entries
            for file in entry.packages
            if file.component == component
        ]
        text = b"\n\n".join(filter(None, [*texts, own.rstrip(b"\n") if component == "main" else b""])) + b"\n"
        path = tree / _index(component)
        path.parent.mkdir(parents=True)
        path.write_bytes(gzip.compress(text, compresslevel=1, mtime=0))
    _sign(tree / "dists/aria", _release(tree, date), int(date.timestamp()))


def _build(package: Package, tree: Path, epoch: int) -> bytes:
    """Build a package into the pool; return its stanza of the index."""
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


def _release(tree: Path, date: datetime) -> str:
    fields = {
        "Origin": "eLxr",
        "Label": "stand-in for eLxr",
        "Suite": "aria",
        "Codename": "aria",
        "Version": "12.0",
        "Date": format_datetime(date.astimezone(UTC), usegmt=True),
        "Architectures": "amd64",
        "Components": " ".join(COMPONENTS),
        "Description": "A stand-in made of Debian 12, for tests",
    }
    lines = [f"{name}: {value}\n" for name, value in fields.items()]
    lines.append("SHA256:\n")
    for component in COMPONENTS:
        data = (tree / _index(component)).read_bytes()
        plain = gzip.decompress(data)
        for body, name in ((data, _index(component)), (plain, _index(component).removesuffix(".gz"))):
            lines.append(f" {hashlib.sha256(body).hexdigest()} {len(body)} {name.removeprefix('dists/aria/')}\n")
    return "".join(lines)


def _sign(folder: Path, text: str, epoch: int) -> None:
    (folder / "Release").write_text(text)
    with signer("elxr", epoch) as key:
        argv = ["gpg", "--batch", "--no-tty", "--digest-algo", "sha256", "--faked-system-time", f"{epoch}!"]
        env = {"PATH": os.environ["PATH"], "HOME": str(key.home), "GNUPGHOME": str(key.home), "LC_ALL": "C"}
        for output, command in (("Release.gpg", ["--armor", "--detach-sign"]), ("InRelease", ["--clear-sign"])):
            whole = [*argv, "--output", str(folder / output), *command, str(folder / "Release")]
            subprocess.run(whole, env=env, check=True, capture_output=True)


def _listed(text: bytes) -> Iterator[tuple[str, tuple[str, int]]]:
    """Yield each package file of an index: its path, sha256 and size."""
    for stanza in text.split(b"\n\n"):
        fields = dict(line.split(b": ", 1) for line in stanza.splitlines() if line[:4] in (b"File", b"Size", b"SHA2"))
        if fields:
            path, digest, size = (fields[name].decode() for name in (b"Filename", b"SHA256", b"Size"))
            yield path, (digest, int(size))
