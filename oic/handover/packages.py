"""What the package stages hand on: the index, the lock, what is in the store, and whose word each package is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from oic.handover.codec import Handover
from oic.ospackage.lock import FORMAT, Lock, LockedDocument, parse_json, read_lock
from oic.values import (
    Digest,
    to_json,
    to_plain,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Self


class Index(Handover):
    """The repositories' verified metadata: `content` is the family's, `blobs` are what of it lies in the store."""

    FILE: ClassVar[str] = "index.json"
    content: dict[str, Any]
    blobs: tuple[str, ...]

    def artefacts(self) -> Iterable[str]:
        """Return the blobs."""
        return self.blobs


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
