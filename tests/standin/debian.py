"""The content of the stand-in: Debian 12 packages from the host's own mirror, solved and fetched by oic.

    roots ─solve─> closure, without what only maintainer scripts need ─download─> store, verified

The result is kept in ``debian.json`` beside the store, and used until another set of roots is requested.
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from oic.bars import progress_bar
from oic.config.apt_sources import read_mirrors
from oic.config.repository import Key, Repository
from oic.errors import OicError
from oic.files import atomic_file
from oic.ospackage.download import DownloadItem, download_packages
from oic.ospackage.http import HttpFetcher
from oic.ospackage.locked import AskedSet, Request
from oic.ospackage.store import Store
from oic.provider.deb.metadata import read_metadata
from oic.provider.deb.solve import solve
from oic.provider.protocol import Previous

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

    from oic.ospackage.lock import LockedPackage

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
SUITES = ("bookworm", "bookworm-updates", "bookworm-security")

NOT_NEEDED = frozenset(
    {
        # needed by maintainer scripts, which are dropped, or only in Debian
        *("adduser", "debconf", "debianutils", "dpkg", "init-system-helpers", "install-info", "lsb-base"),
        *("linux-base", "lsb-release", "runit-helper", "sensible-utils", "sysvinit-utils", "ucf", "usr-is-merged"),
        *("usrmerge", "base-files", "base-passwd", "dash", "gcc-12-base", "initramfs-tools", "initramfs-tools-core"),
        *(
            "grub-pc",
            "grub2-common",
            "xxd",
            "python3-apt",
            "locales",
            "shim-signed-common",
            "shim-helpers-amd64-signed",
            "xkb-data",
        ),
        # compilers, on which libtool depends
        *("autotools-dev", "cpp", "gcc", "libc6-dev"),
        # needed by additional scripts in Perl, which the rpm family has in separate packages
        *("perl", "perl-base", "debugedit", "os-prober", "libdpkg-perl"),
    }
)
"""Debian packages that no stand-in package needs, although Debian's relations name them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deb:
    """A Debian package to be repackaged: its verified file in the store."""

    name: str
    version: str
    sha256: str
    file: Path


def debs(roots: Collection[str], place: Path) -> dict[str, Deb]:
    """Return the closure of `roots`, by name; download missing packages. Raises OicError."""
    store = Store(place / "store")
    entries = _kept(place, roots)
    try:
        _download(entries or _solved(roots, place, store), store)
    except OicError:
        if entries is None:
            raise
        # the mirror may have removed old versions; there is no lock that needs them
        _download(_solved(roots, place, store), store)
    return {
        entry["name"]: Deb(
            name=entry["name"], version=entry["version"], sha256=entry["sha256"], file=store.path(entry["sha256"])
        )
        for entry in _kept(place, roots) or []
    }


def _download(entries: list[dict[str, Any]], store: Store) -> None:
    wanted = [
        DownloadItem(digest=entry["sha256"], size=entry["size"], urls=(entry["url"],), label=entry["name"])
        for entry in entries
    ]
    download_packages(wanted, store, HttpFetcher, progress_bar)


def _kept(place: Path, roots: Collection[str]) -> list[dict[str, Any]] | None:
    with contextlib.suppress(OSError, ValueError, KeyError):
        kept = json.loads((place / "debian.json").read_text())
        if (kept["roots"], kept["without"]) == (sorted(roots), sorted(NOT_NEEDED)):
            packages: list[dict[str, Any]] = kept["packages"]
            return packages
    return None


def _solved(roots: Collection[str], place: Path, store: Store) -> list[dict[str, Any]]:
    """Solve with newly fetched metadata, and keep the result."""
    repositories = _repositories()
    with HttpFetcher() as fetcher:
        index = read_metadata(repositories, "amd64", fetcher, store, Previous()).index
    request = Request(
        architecture="amd64",
        recommends=False,
        sets={"standin": AskedSet(names=tuple(sorted(roots)), essential=False)},
    )
    packages = {package.name: package for package in solve(index, request, store).sets["standin"]}
    entries = [
        {"name": name, "version": package.version, "sha256": package.sha256, "size": package.size, "url": package.url}
        for name, package in sorted(packages.items())
        if name in _closure(packages, roots)
    ]
    with atomic_file(place / "debian.json") as aside:
        asked = {"roots": sorted(roots), "without": sorted(NOT_NEEDED)}
        aside.write_text(json.dumps({**asked, "packages": entries}, indent=1))
    return entries


def _closure(packages: dict[str, LockedPackage], roots: Iterable[str]) -> set[str]:
    todo, found = list(roots), set[str]()
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo += [need.package for need in packages[name].requires if need.package not in NOT_NEEDED]
    return found


def _repositories() -> list[Repository]:
    mirrors = read_mirrors(("bookworm", "stable", "oldstable"), (KEYRING,))
    if mirrors.main is None or mirrors.security is None:
        raise OicError("expected apt sources of Debian 12, with security, found none", where="/etc/apt")
    urls = {suite: mirrors.security if suite.endswith("-security") else mirrors.main for suite in SUITES}
    return [
        Repository(name=suite, url=urls[suite], suite=suite, components=("main",), keys=(Key(source=KEYRING),))
        for suite in SUITES
    ]
