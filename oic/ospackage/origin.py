"""What a lock keeps of the index that it was solved from, and what both remember of who signs a repository."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from oic.ospackage.locked import LockedKey, LockedRepository

if TYPE_CHECKING:
    from collections.abc import Iterable

    from oic.ospackage.indexed import IndexedRepository
    from oic.ospackage.locked import Lock, LockedDocument


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownSigners:
    """Who is remembered to sign a repository: the keys that count by their URLs; of an older lock `signers` alone."""

    signers: Sequence[str] = ()
    keys: Mapping[str, Sequence[str]] = field(default_factory=dict)


Known = Mapping[str, KnownSigners]
"""By the repository's name."""

UNKNOWN = KnownSigners()


def locked_repositories(index: Iterable[IndexedRepository]) -> tuple[LockedRepository, ...]:
    """Return the repositories as a lock has them; the builder's own key files are each host's to have."""
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
    """Return the documents of each repository by its name; none where nothing is signed."""
    return {entry.name: () if entry.trusted else entry.documents for entry in index}


def known_of_index(index: Iterable[IndexedRepository]) -> Known:
    """Return what an index remembers."""
    return {
        entry.name: KnownSigners(signers=entry.signers, keys={key.url: key.fingerprints for key in entry.keys})
        for entry in index
    }


def known_of_lock(lock: Lock) -> Known:
    """Return what a lock remembers; an older one knows the signers alone."""
    return {
        entry.name: KnownSigners(
            signers=entry.signers, keys={key.url: key.fingerprints for key in entry.keys if key.fingerprints}
        )
        for entry in lock.repositories
    }
