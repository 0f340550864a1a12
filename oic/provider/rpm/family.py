"""The rpm family: Azure Linux, Edge Microvisor Toolkit, and others of rpm-md. See `oic.provider.protocol.Provider`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from oic.provider.rpm.belongings import belongings as belongings_of
from oic.provider.rpm.firstboot import FIRST_BOOT
from oic.provider.rpm.index import check_index
from oic.provider.rpm.install import environment_at, install
from oic.provider.rpm.metadata import metadata_warnings, read_metadata
from oic.provider.rpm.solve import solve
from oic.provider.rpm.sources import sources
from oic.provider.rpm.unpack import unpack
from oic.provider.rpm.verify import verify
from oic.provider.rpm.version import EVR, NAME
from oic.provider.traces import TRACES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from oic.ospackage.lock import LockedPackage
    from oic.provider.belongings import Belongings
    from oic.provider.firstboot import FirstBoot

__all__ = [
    "belongings",
    "check_index",
    "environment",
    "first_boot",
    "groups",
    "install",
    "installed_by",
    "is_package",
    "leftovers",
    "list_command",
    "metadata_warnings",
    "read_metadata",
    "signs_packages",
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
    """Tell whether name, version and architecture are such as a header may have."""
    known = NAME.fullmatch(package.name) and EVR.fullmatch(package.version)
    return bool(known and re.fullmatch("[a-z0-9_]+", package.architecture))


def signs_packages() -> bool:
    """Return that each package is signed by itself."""
    return True


def groups(packages: Sequence[LockedPackage]) -> list[list[LockedPackage]]:
    """Return the whole set: rpm orders one transaction by itself, and scriptlets may count on it."""
    return [list(packages)] if packages else []


def installed_by(tools: str) -> str:
    """Return the build environment's digest: its rpm installs, and writes the database."""
    return tools


def belongings(packages: Sequence[tuple[LockedPackage, Path]], _root: Path) -> Belongings:
    """Return what the packages' headers say: a scriptlet cannot change them, as it can rpm's database."""
    return belongings_of(packages)


def leftovers() -> tuple[str, ...]:
    """Return what an installation leaves of the build: logs, caches, locks, keys, ids."""
    return _LEFTOVERS


def first_boot() -> tuple[FirstBoot, ...]:
    """Return what its packages, and those of both families, draw or tell."""
    return FIRST_BOOT


def environment(epoch: int) -> Mapping[str, str]:
    """Return the variables of scriptlets and of a recipe's commands."""
    return environment_at(epoch)


def list_command() -> Sequence[str]:
    """Return rpm's word for every package it knows; keys, which it keeps among them, left out."""
    line = r"%{NAME}:%{ARCH}\t%|EPOCH?{%{EPOCH}:}:{}|%{VERSION}-%{RELEASE}\n"
    return ("sh", "-c", f"rpm -qa --queryformat '{line}' | grep -v '^gpg-pubkey:'")
