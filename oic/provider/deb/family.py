"""The deb family: Debian and what is derived from it. See `oic.provider.protocol.Provider`."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from oic.process import child
from oic.provider.carrying import carried_files
from oic.provider.deb.belongings import lists_in
from oic.provider.deb.firstboot import FIRST_BOOT
from oic.provider.deb.index import check_index
from oic.provider.deb.install import ENVIRONMENT, install
from oic.provider.deb.lists import PACKAGES
from oic.provider.deb.local import describe, listing
from oic.provider.deb.metadata import metadata_warnings, read_metadata
from oic.provider.deb.packages import is_package as is_named
from oic.provider.deb.solve import solve
from oic.provider.deb.told import key_file, key_path, recipe_sources
from oic.provider.deb.unpack import merge_usr, unpack_all
from oic.provider.deb.verify import verify
from oic.provider.traces import TRACES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from oic.ospackage.lock import Lock, LockedPackage, LockedRepository
    from oic.provider.belongings import Belongings
    from oic.provider.carrying import Carried
    from oic.provider.firstboot import FirstBoot

__all__ = [
    "belongings",
    "carried",
    "check_index",
    "describe",
    "environment",
    "first_boot",
    "groups",
    "initramfs_path",
    "install",
    "installed_by",
    "is_package",
    "key_file",
    "key_path",
    "leftovers",
    "list_command",
    "listing",
    "metadata_warnings",
    "read_metadata",
    "recipe_sources",
    "signs_packages",
    "sizes_command",
    "solve",
    "sources",
    "unpack",
    "verify",
]

_LEFTOVERS = (
    *TRACES,
    "var/cache/apt/*.bin",
    "var/cache/debconf/*-old",
    "var/lib/dpkg/*-old",
    "var/lib/dpkg/lock*",
    "var/lib/dpkg/triggers/Lock",
    "var/log/alternatives.log",
    "var/log/apt/*",
    "var/log/bootstrap.log",
    "var/log/dpkg.log",
)


def is_package(package: LockedPackage) -> bool:
    """Tell whether name, version and architecture are valid in a control file."""
    return is_named(package.name, package.version, package.architecture)


def carried(lock: Lock) -> tuple[Carried, ...]:
    """Return the files of the image's suites that a medium carries; apt takes names as they are."""
    return carried_files(lock, needs=PACKAGES, path_of=lambda package: package.location)


def signs_packages() -> bool:
    """Return False: packages carry no signature, only the index that lists them is signed."""
    return False


def unpack(packages: Sequence[tuple[LockedPackage, Path]], root: Path, *, jobs: int = 2) -> int:
    """Unpack packages so that their programs can run: with a merged /usr, without a database, and running no script."""
    merge_usr(root)
    members = [(package.name, file) for package, file in packages]
    unpacked = unpack_all(members, root, jobs=jobs)
    if jobs > 1 and any(item.clashes for item in unpacked):  # unpack again in one process: the first package wins
        for path in root.iterdir():
            path.unlink() if path.is_symlink() else shutil.rmtree(path)
        return unpack(packages, root, jobs=1)
    return max((item.newest for item in unpacked), default=0)


def groups(packages: Sequence[LockedPackage]) -> list[list[LockedPackage]]:
    """Return two groups: the Essential packages with all they need, and the rest."""
    requires = {package.name: [need.package for need in package.requires] for package in packages}
    todo = [package.name for package in packages if package.essential]
    bootstrap: set[str] = set()
    while todo:
        name = todo.pop()
        if name not in bootstrap and name in requires:
            bootstrap.add(name)
            todo += requires[name]
    first = [package for package in packages if package.name in bootstrap]
    rest = [package for package in packages if package.name not in bootstrap]
    return [group for group in (first, rest) if group]


def installed_by(_tools: str) -> str:
    """Return an empty string: the image's own dpkg installs its packages."""
    return ""


def belongings(_packages: Sequence[tuple[LockedPackage, Path]], root: Path) -> Belongings:
    """Read dpkg's database in the tree."""
    return child.inside(root, lists_in)


def leftovers() -> tuple[str, ...]:
    """Return globs of logs, caches, locks, keys and ids that a Debian installation leaves."""
    return _LEFTOVERS


def first_boot() -> tuple[FirstBoot, ...]:
    """Return what the packages of this family, and of both families, generate."""
    return FIRST_BOOT


def initramfs_path(version: str) -> str:
    """Return where update-initramfs puts it."""
    return f"boot/initrd.img-{version}"


def environment(epoch: int) -> Mapping[str, str]:
    """Return the environment variables for maintainer scripts and for a recipe's commands."""
    return {**ENVIRONMENT, "SOURCE_DATE_EPOCH": str(epoch)}


def sources(_root: Path, repositories: Sequence[LockedRepository], keys: Mapping[str, str]) -> dict[str, str]:
    """Return an apt source file (sources.list(5), deb822 style) for the repositories."""
    stanzas = [
        f"Types: deb\nURIs: {entry.url}\nSuites: {entry.suite}\nComponents: {' '.join(entry.components)}\n"
        f"Signed-By: {keys[entry.name]}\n"
        for entry in repositories
        if keys.get(entry.name)
    ]
    return {"/etc/apt/sources.list.d/image.sources": "\n".join(stanzas)} if stanzas else {}


def sizes_command() -> tuple[Sequence[str], int]:
    """Return a dpkg-query command, which counts in KiB."""
    return ("dpkg-query", "-W", "-f", "${Installed-Size}\\t${Package}\\n"), 1024


def list_command() -> Sequence[str]:
    """Return a dpkg-query command."""
    return ("dpkg-query", "-W", "-f", "${Package}:${Architecture}\\t${Version}\\t${db:Status-Abbrev}\\n")
