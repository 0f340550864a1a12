"""The verified metadata of each repository: who signed it, and its documents, by their digests in the store.

``index.json`` has these values. Everything that an image is made of and how it is chosen starts here.
"""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - read when an index is decoded
from typing import TYPE_CHECKING

from oic.ospackage.locked import LockedDocument  # noqa: TC001 - as above
from oic.values import Bytes, Digest, Value

if TYPE_CHECKING:
    from collections.abc import Iterator


class IndexedKey(Value):
    """A key file of a repository; `fingerprints` are of its primary keys that count.

    `vouched`: somebody else than the URL it came from says that it is the right one.
    """

    url: str
    sha256: Digest
    size: Bytes
    fingerprints: tuple[str, ...]
    vouched: bool


class IndexedFile(Value):
    """A list of packages or of their files; `compression` as `oic.provider.compression` names it."""

    sha256: Digest
    compression: str
    plain_size: int


class IndexedRepository(Value):
    """What the metadata of any family tell; `documents` are the signed ones and the lists that they vouch for."""

    name: str
    url: str
    suite: str
    components: tuple[str, ...]
    priority: int
    allow_packages: tuple[str, ...]
    signers: tuple[str, ...]
    trusted: bool
    keys: tuple[IndexedKey, ...]
    documents: tuple[LockedDocument, ...]

    def digests(self) -> Iterator[Digest]:
        """Yield the blobs that it names."""
        yield from (key.sha256 for key in self.keys)
        yield from (document.sha256 for document in self.documents)


class ComponentFile(IndexedFile):
    """The Packages file of a component."""

    component: str


class DebRepository(IndexedRepository, tag="deb", tag_field="family"):
    """A suite: what its Release says of when it was made, and its Packages files."""

    date: datetime
    valid_until: datetime | None
    packages: tuple[ComponentFile, ...]


class ListedFile(IndexedFile):
    """A file of ``repomd.xml``, with the checksum that stands there: ``sha512:…``."""

    checksum: str


class RpmRepository(IndexedRepository, tag="rpm", tag_field="family"):
    """A repository of rpm-md; `origin` is its URL in the recipe, or that of the mirror list which gave `url`.

    `filelists` are there only where a dependency names a path that primary does not list.
    """

    origin: str
    revision: str
    timestamp: int
    primary: ListedFile
    filelists: ListedFile | None

    def digests(self) -> Iterator[Digest]:
        """Yield the blobs that it names."""
        yield from super().digests()
        if self.filelists:
            yield self.filelists.sha256
