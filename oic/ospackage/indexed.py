"""The verified metadata of repositories: their signers, and their documents by digest, as in ``index.json``."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - read when an index is decoded
from typing import TYPE_CHECKING

from oic.ospackage.locked import LockedDocument  # noqa: TC001 - as above
from oic.values import Bytes, Digest, Value

if TYPE_CHECKING:
    from collections.abc import Iterator


class IndexedKey(Value):
    """A key file of a repository; `fingerprints` are those of its accepted primary keys.

    `vouched` means that its authenticity does not rest on the URL alone.
    """

    url: str
    sha256: Digest
    size: Bytes
    fingerprints: tuple[str, ...]
    vouched: bool


class IndexedFile(Value):
    """A list of packages or of their files; `compression` is a name of `oic.provider.compression`."""

    sha256: Digest
    compression: str
    plain_size: int


class IndexedRepository(Value):
    """The metadata of a repository; `documents` are the signed files and the lists whose digests they hold.

    `group` is the name again for a repository of the recipe, and empty for the distribution's own.
    """

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
    group: str

    def digests(self) -> Iterator[Digest]:
        """Yield the digests of its blobs in the store."""
        yield from (key.sha256 for key in self.keys)
        yield from (document.sha256 for document in self.documents)


class ComponentFile(IndexedFile):
    """The Packages file of a component."""

    component: str


class DebRepository(IndexedRepository, tag="deb", tag_field="family"):
    """A suite of a deb repository: the dates in its Release file, and its Packages files."""

    date: datetime
    valid_until: datetime | None
    packages: tuple[ComponentFile, ...]


class ListedFile(IndexedFile):
    """A file that ``repomd.xml`` lists, with its checksum there: ``sha512:…``."""

    checksum: str


class RpmRepository(IndexedRepository, tag="rpm", tag_field="family"):
    """A repository of rpm-md; `origin` is its URL in the recipe, or that of the mirror list that named `url`.

    `filelists` exists only if a dependency names a path that primary does not list.
    """

    origin: str
    revision: str
    timestamp: int
    primary: ListedFile
    filelists: ListedFile | None

    def digests(self) -> Iterator[Digest]:
        """Yield the digests of its blobs in the store."""
        yield from super().digests()
        if self.filelists:
            yield self.filelists.sha256
