"""What the stages that make a disk of a tree hand on: partition images, and the artefacts a user gets."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from oic.handover.codec import Handover
from oic.handover.tree import Artefact  # noqa: TC001 - read when a hand-over is decoded
from oic.image.disk.geometry import Layout  # noqa: TC001 - as above
from oic.image.disk.written import WrittenPartition  # noqa: TC001
from oic.values import Digest, Value

if TYPE_CHECKING:
    from collections.abc import Iterable


class PartitionImage(Value):
    """The content of a partition: its file in the cache, and its digest as `oic.files.digest_of_sparse` takes it."""

    id: str
    path: str
    digest: Digest


class FileSystems(Handover):
    """The file systems made of the tree."""

    FILE: ClassVar[str] = "fs.json"
    images: tuple[PartitionImage, ...]

    def artefacts(self) -> Iterable[str]:
        """Return their files."""
        return [image.path for image in self.images]


class BootFiles(Handover):
    """The partition that boots, what it was made of, and the command line it says."""

    FILE: ClassVar[str] = "boot.json"
    command_line: str
    kernel: Digest
    initramfs: Digest
    images: tuple[PartitionImage, ...]

    def artefacts(self) -> Iterable[str]:
        """Return their files."""
        return [image.path for image in self.images]


class Product(Value):
    """A file that a user asked for; `format` is the recipe's word for its kind."""

    format: str
    file: Artefact


class Products(Handover):
    """The files a user asked for, and what lies where on the disk."""

    FILE: ClassVar[str] = "image.json"
    products: tuple[Product, ...]
    layout: Layout
    partitions: tuple[WrittenPartition, ...]

    def artefacts(self) -> Iterable[str]:
        """Return the files."""
        return [product.file.path for product in self.products]
