"""What the package stages hand on: the index, the lock, what is in the store, and whose word each package is."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, TypeVar

from oic.handover.codec import Handover
from oic.ospackage.blobs import blob_path
from oic.ospackage.indexed import DebRepository, IndexedRepository, RpmRepository
from oic.ospackage.lock import FORMAT, Lock, LockedDocument, parse_json, read_lock
from oic.values import (
    Digest,
    to_json,
    to_plain,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Self

Family = TypeVar("Family", bound=IndexedRepository)


class Index(Handover):
    """The repositories' verified metadata; the repositories are all of one family."""

    FILE: ClassVar[str] = "index.json"
    architecture: str
    repositories: tuple[DebRepository | RpmRepository, ...]

    def of(self, family: type[Family]) -> tuple[Family, ...]:
        """Return the repositories of a family: none where the index is of the other one."""
        return tuple(entry for entry in self.repositories if isinstance(entry, family))

    def artefacts(self) -> Iterable[str]:
        """Return the blobs that they name."""
        return sorted({f"store/{blob_path(digest)}" for entry in self.repositories for digest in entry.digests()})


class LockFile(Handover):
    """The lock, in the form that a user keeps it in."""

    FILE: ClassVar[str] = "lock.json"
    lock: Lock

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Return the lock of a text; raises ValueError or SolveError."""
        return cls(lock=read_lock(parse_json(text)))

    def to_text(self) -> str:
        """Return the file's text."""
        return to_json({"format": FORMAT, **to_plain(self.lock)})


class Downloaded(Handover):
    """What of the lock is in the store, paths in the cache; and the present indexes that may vouch for a kept one."""

    FILE: ClassVar[str] = "download.json"
    blobs: tuple[str, ...]
    present: dict[str, tuple[LockedDocument, ...]]

    def artefacts(self) -> Iterable[str]:
        """Return the blobs."""
        return self.blobs


class Verified(Handover):
    """The packages that may be used, whatever vouched for them."""

    FILE: ClassVar[str] = "verified.json"
    packages: tuple[Digest, ...]


class Trust(Handover):
    """Whose word each package is, by set and name; which of them nobody signed, which repositories'
    metadata nobody did; and what chose them.

    `locked_by` is ``file`` for a lock that the user keeps, else ``solve``.
    """

    FILE: ClassVar[str] = "trust.json"
    verdicts: dict[str, dict[str, str]]
    unsigned: dict[str, tuple[str, ...]]
    unsigned_metadata: tuple[str, ...]
    locked_by: str
