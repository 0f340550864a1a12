"""Hand-overs of the stages that create a disk from a tree: partition images, and the files for the user."""

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


class BootFiles(Handover):
    """The image of the boot partition, the digests of its kernel and initramfs, and its command line."""

    FILE: ClassVar[str] = "boot.json"
    command_line: str
    kernel: Digest
    initramfs: Digest
    images: tuple[PartitionImage, ...]

    def artefacts(self) -> Iterable[str]:
        """Return their files."""
        return [image.path for image in self.images]


class Product(Value):
    """A file that the recipe asks for; `format` is its name in recipes."""

    format: str
    file: Artefact


class Products(Handover):
    """The files that the recipe asks for, and the layout of the disk."""

    FILE: ClassVar[str] = "image.json"
    products: tuple[Product, ...]
    layout: Layout
    partitions: tuple[WrittenPartition, ...]

    def artefacts(self) -> Iterable[str]:
        """Return the files."""
        return [product.file.path for product in self.products]
