"""The packages of one repository, as libsolv reads them from its metadata."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Any

import solv

from oic.errors import TrustError
from oic.ospackage.globs import glob_matches


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageSource:
    """One repository: its decompressed primary.xml, its filelists.xml if needed, its priority and allowed packages.

    `group` is the repository itself, or empty for each of the distribution's own.
    """

    name: str
    primary: bytes
    filelists: bytes | None = None
    priority: int = 0
    allowed: tuple[str, ...] = ()
    group: str = ""

    def allows(self, package: Any) -> bool:
        """Tell whether the package may be taken from here: by exact name, ``name-version`` prefix or glob."""
        return not self.allowed or any(is_named(word, package) for word in self.allowed)


def is_named(word: str, package: Any) -> bool:
    """Tell whether an entry of ``allowPackages`` names a package."""
    full = f"{package.name}-{without_epoch(package.evr)}"
    return bool(
        glob_matches(package.name, word)
        or glob_matches(full, word)
        or (word.startswith(f"{package.name}-") and re.match(rf"{re.escape(word)}(?![A-Za-z0-9])", full))
    )


def without_epoch(evr: str) -> str:
    """Return ``version-release``."""
    return evr.partition(":")[2] or evr


def read_primary(repository: Any, document: bytes) -> None:
    """Convert primary to libsolv's own format and read that, as dnf does.

    The conversion changes the order of a package's dependencies, and the solver depends on that order: without it, the
    result could be another one of several equally good sets than dnf's.
    """
    pool = solv.Pool()  # keep a reference: what is read from it does not
    apart = pool.add_repo(repository.name)
    read_document(apart, document, "primary", 0)
    with os.fdopen(os.memfd_create("solv"), "wb") as file:
        for treat in (apart.write, repository.add_solv):
            file.seek(0)
            stream = solv.xfopen_fd("primary.solv", file.fileno())
            done = treat(stream)
            stream.close()
            if not done:
                raise TrustError(f"expected primary metadata, found {repository.pool.errstr}", where=repository.name)


def read_document(repository: Any, document: bytes, kind: str, flags: int) -> None:
    """Have libsolv read a document from memory; raises TrustError for damage."""
    with os.fdopen(os.memfd_create(kind), "wb") as file:
        file.write(document)
        file.flush()
        file.seek(0)
        stream = solv.xfopen_fd(f"{kind}.xml", file.fileno())
        whole = repository.add_rpmmd(stream, None, flags)
        stream.close()
    if not whole:
        raise TrustError(f"expected {kind} metadata, found damage: {repository.pool.errstr}", where=repository.name)
