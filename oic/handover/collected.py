"""What the stage ``collect`` hands on: the packages of repositories that are made of package files."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from oic.handover.codec import Handover
from oic.ospackage.blobs import blob_path
from oic.values import Bytes, Digest, Value

if TYPE_CHECKING:
    from collections.abc import Iterable


class CollectedPackage(Value):
    """A package of a file: `source` is the file or archive as the recipe names it, `member` its path in an archive.

    `origin` is the sha256 of the file or archive. `vouched`: the recipe has it; else it was taken as it was found.
    """

    name: str
    version: str
    architecture: str
    location: str
    sha256: Digest
    size: Bytes
    source: str
    member: str
    origin: Digest
    vouched: bool

    @property
    def file(self) -> str:
        """Return where it is, for messages."""
        return f"{self.source}: {self.member}" if self.member else self.source


class CollectedRepository(Value):
    """A repository of package files: its packages, and the list of them in the family's format."""

    listing: Digest
    listing_size: Bytes
    packages: tuple[CollectedPackage, ...]


class Collected(Handover):
    """The repositories that are made of package files, by name; all that they name is in the store."""

    FILE: ClassVar[str] = "collected.json"
    architecture: str
    repositories: dict[str, CollectedRepository]

    def artefacts(self) -> Iterable[str]:
        """Return the blobs."""
        entries = self.repositories.values()
        digests = {entry.listing for entry in entries} | {one.sha256 for entry in entries for one in entry.packages}
        return sorted(f"store/{blob_path(digest)}" for digest in digests)
