"""The rpm family: Azure Linux, Edge Microvisor Toolkit, and others of rpm-md. See `oic.provider.protocol.Provider`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

from oic.provider.carrying import carried_files
from oic.provider.rpm.belongings import belongings as belongings_of
from oic.provider.rpm.firstboot import FIRST_BOOT
from oic.provider.rpm.index import check_index
from oic.provider.rpm.install import environment_at, install
from oic.provider.rpm.local import describe, listing
from oic.provider.rpm.metadata import metadata_warnings, read_metadata
from oic.provider.rpm.repomd import FILELISTS
from oic.provider.rpm.solve import solve
from oic.provider.rpm.sources import key_file, key_path, recipe_sources, sources
from oic.provider.rpm.unpack import unpack
from oic.provider.rpm.verify import verify
from oic.provider.rpm.version import EVR, NAME
from oic.provider.traces import TRACES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from oic.ospackage.lock import Lock, LockedPackage
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
    "usr/lib/sysimage/tdnf/history.db-*",
    "var/cache/dnf/*",
    "var/cache/tdnf/*",
    "var/cache/yum/*",
    "var/lib/rpm-state/*",
    "var/log/dnf*",
    "var/log/hawkey.log",
    "var/log/tdnf*",
)


def is_package(package: LockedPackage) -> bool:
    """Tell whether name, version and architecture are valid in a header."""
    known = NAME.fullmatch(package.name) and EVR.fullmatch(package.version)
    return bool(known and re.fullmatch("[a-z0-9_]+", package.architecture))


def carried(lock: Lock) -> tuple[Carried, ...]:
    """Return the files of the image's repositories that a medium carries; locations are URLs, as ``%2b`` for a plus."""
    return carried_files(lock, needs=FILELISTS, path_of=lambda package: unquote(package.location))


def signs_packages() -> bool:
    """Return True: each package carries its own signature."""
    return True


def groups(packages: Sequence[LockedPackage]) -> list[list[LockedPackage]]:
    """Return one group: rpm orders a transaction itself, and scriptlets may depend on that order."""
    return [list(packages)] if packages else []


def installed_by(tools: str) -> str:
    """Return the build environment's digest: its rpm installs the packages and writes the database."""
    return tools


def belongings(packages: Sequence[tuple[LockedPackage, Path]], _root: Path) -> Belongings:
    """Read the packages' headers; unlike rpm's database, scriptlets cannot change them."""
    return belongings_of(packages)


def leftovers() -> tuple[str, ...]:
    """Return globs of logs, caches, locks, keys and ids that an installation leaves."""
    return _LEFTOVERS


def first_boot() -> tuple[FirstBoot, ...]:
    """Return what the packages of this family, and of both families, generate."""
    return FIRST_BOOT


def initramfs_path(version: str) -> str:
    """Return where dracut puts it."""
    return f"boot/initramfs-{version}.img"


def environment(epoch: int) -> Mapping[str, str]:
    """Return the environment variables for scriptlets and for a recipe's commands."""
    return environment_at(epoch)


def sizes_command() -> tuple[Sequence[str], int]:
    """Return an rpm command."""
    return ("rpm", "-qa", "--queryformat", r"%{SIZE}\t%{NAME}\n"), 1


def list_command() -> Sequence[str]:
    """Return an rpm command; it leaves out the keys, which rpm lists as packages."""
    line = r"%{NAME}:%{ARCH}\t%|EPOCH?{%{EPOCH}:}:{}|%{VERSION}-%{RELEASE}\n"
    return ("sh", "-c", f"rpm -qa --queryformat '{line}' | grep -v '^gpg-pubkey:'")
