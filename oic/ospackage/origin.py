"""The repositories and indexes that a lock records, and the signers that an index or a lock remembers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import field

from oic.ospackage.locked import LockedKey, LockedRepository
from oic.values import Value

if TYPE_CHECKING:
    from collections.abc import Iterable

    from oic.ospackage.indexed import IndexedRepository
    from oic.ospackage.locked import Lock, LockedDocument


class KnownSigners(Value):
    """The known signers of a repository: accepted keys by URL; for an older lock, `signers` only."""

    signers: Sequence[str] = ()
    keys: Mapping[str, Sequence[str]] = field(default_factory=dict)


Known = Mapping[str, KnownSigners]
"""By name of the repository."""

UNKNOWN = KnownSigners()


def locked_repositories(index: Iterable[IndexedRepository]) -> tuple[LockedRepository, ...]:
    """Return the repositories for a lock, without key files of the host."""
    return tuple(
        LockedRepository(
            name=entry.name,
            url=entry.url,
            suite=entry.suite,
            components=entry.components,
            signers=entry.signers,
            keys=tuple(
                LockedKey(url=key.url, sha256=key.sha256, size=key.size, fingerprints=key.fingerprints)
                for key in entry.keys
                if not key.url.startswith("file:")
            ),
            trusted=entry.trusted,
        )
        for entry in index
    )


def locked_indexes(index: Iterable[IndexedRepository]) -> dict[str, tuple[LockedDocument, ...]]:
    """Return the documents of each repository by name; an unsigned repository has none."""
    return {entry.name: () if entry.trusted else entry.documents for entry in index}


def known_of_index(index: Iterable[IndexedRepository]) -> Known:
    """Return the signers that an index records."""
    return {
        entry.name: KnownSigners(signers=entry.signers, keys={key.url: key.fingerprints for key in entry.keys})
        for entry in index
    }


def known_of_lock(lock: Lock) -> Known:
    """Return the signers that a lock records; an older lock has no keys."""
    return {
        entry.name: KnownSigners(
            signers=entry.signers, keys={key.url: key.fingerprints for key in entry.keys if key.fingerprints}
        )
        for entry in lock.repositories
    }
