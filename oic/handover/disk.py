"""Hand-overs of the stages that create a disk from a tree: partition images, and the files for the user."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from oic.handover.codec import Handover
from oic.handover.tree import Artefact, LayerName  # noqa: TC001 - read when a hand-over is decoded
from oic.image.disk.written import WrittenPartition  # noqa: TC001
from oic.values import Bytes, Digest, Value

if TYPE_CHECKING:
    from collections.abc import Iterable


class PartitionImage(Value):
    """The image of a partition: its file in the cache, and its digest (`oic.files.digest_of_sparse`)."""

    id: str
    path: str
    digest: Digest


class FileSystems(Handover):
    """The file system images of the tree."""

    FILE: ClassVar[str] = "fs.json"
    images: tuple[PartitionImage, ...]

    def artefacts(self) -> Iterable[str]:
        """Return their files."""
        return [image.path for image in self.images]


class DiskPiece(Value):
    """Bytes that lie on the disk outside its partitions, from `offset` on: their file in the cache."""

    offset: Bytes
    file: Artefact


class BootedKernel(Value):
    """A kernel that can be booted, and the digests of what it consists of."""

    version: str
    kernel: Digest
    initramfs: Digest


class BootFiles(Handover):
    """What boots: partitions, pieces of the disk outside them, and a layer of files in the tree where there are some.

    The first of `kernels` boots by default; each is told the command line.
    """

    FILE: ClassVar[str] = "boot.json"
    command_line: str
    kernels: tuple[BootedKernel, ...]
    images: tuple[PartitionImage, ...]
    pieces: tuple[DiskPiece, ...]
    tree: LayerName | None

    def artefacts(self) -> Iterable[str]:
        """Return their files, and the layer."""
        layer = [self.tree.place] if self.tree else []
        return [*(image.path for image in self.images), *(piece.file.path for piece in self.pieces), *layer]


class Product(Value):
    """A file that the recipe asks for; `format` and `compression` are their names in recipes."""

    format: str
    compression: str
    file: Artefact


class Products(Handover):
    """Files that the recipe asks for."""

    products: tuple[Product, ...]

    def artefacts(self) -> Iterable[str]:
        """Return the files."""
        return [product.file.path for product in self.products]


class RawDisk(Products):
    """The raw disk, and what lies where on it."""

    FILE: ClassVar[str] = "image.json"
    partitions: tuple[WrittenPartition, ...]

    @property
    def raw(self) -> Product:
        """Return the one file."""
        (raw,) = self.products
        return raw


class Converted(Products):
    """Further files made of the disk; `made_of` says from what each was, so that only what changed is made anew."""

    FILE: ClassVar[str] = "convert.json"
    made_of: tuple[Digest, ...]
    partitions: tuple[WrittenPartition, ...]


class Archive(Products):
    """The image's tree as an archive."""

    FILE: ClassVar[str] = "archive.json"
