"""Hand-overs of the stages that create a disk from a tree: partition images, and the files for the user."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from msgspec import UNSET, UnsetType

from oic.handover.codec import Handover, NamedFile
from oic.handover.tree import Artefact, EspFile, LayerName  # noqa: TC001 - read when a hand-over is decoded
from oic.image.disk.written import WrittenPartition  # noqa: TC001
from oic.image.verity import RootHash  # noqa: TC001
from oic.values import Bytes, Digest, Value

if TYPE_CHECKING:
    from collections.abc import Iterable


class PartitionImage(Value):
    """The image of a partition: its file in the cache, the partition's size, its digest (of `files.digest_of_sparse`).

    The file may be shorter than the partition.
    """

    id: str
    path: str
    size: Bytes
    digest: Digest

    @property
    def recorded(self) -> Digest:
        """Return the digest that it was written with."""
        return self.digest

    @property
    def sparse(self) -> bool:
        """Return True."""
        return True


class FileSystems(Handover):
    """The file system images of the tree."""

    FILE: ClassVar[str] = "fs.json"
    images: tuple[PartitionImage, ...]

    def files(self) -> Iterable[NamedFile]:
        """Return their files."""
        return self.images


class VerifiedRoot(Handover):
    """A root that is only read, its hash tree, and the digest that vouches for both."""

    FILE: ClassVar[str] = "verity.json"
    root_hash: RootHash
    root: PartitionImage
    hashes: PartitionImage

    @property
    def images(self) -> tuple[PartitionImage, ...]:
        """The images of both partitions."""
        return self.root, self.hashes

    @property
    def part_uuids(self) -> dict[str, str]:
        """The PARTUUIDs of both partitions by their ids."""
        return {image.id: uuid for image, uuid in zip(self.images, self.root_hash.part_uuids, strict=True)}

    def files(self) -> Iterable[NamedFile]:
        """Return both files."""
        return self.images


class BootedRoot(Handover):
    """What is told to a kernel of a verified root, and no more: it changes only with what is on the root."""

    FILE: ClassVar[str] = "root-hash.json"
    root_hash: RootHash


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

    The first of `kernels` boots by default; each is told the command line. In place of the ESP, an image that is to be
    signed has the files `to_sign`.
    """

    FILE: ClassVar[str] = "boot.json"
    command_line: str
    kernels: tuple[BootedKernel, ...]
    images: tuple[PartitionImage, ...]
    pieces: tuple[DiskPiece, ...]
    tree: LayerName | None
    to_sign: tuple[EspFile, ...] | UnsetType = UNSET

    def files(self) -> Iterable[NamedFile]:
        """Return their files."""
        return [*self.images, *(piece.file for piece in self.pieces), *(entry.file for entry in self.to_sign or ())]

    def artefacts(self) -> Iterable[str]:
        """Return their files, and the layer."""
        return [*(file.path for file in self.files()), *([self.tree.place] if self.tree else [])]


class SignedProgram(Value):
    """A program of the ESP, by its path there: the digest of the signed file, and the one that its signature has."""

    name: str
    sha256: Digest
    authenticode: Digest


class SignedFiles(Handover):
    """The ESP with signed programs, and the certificate of the key that signed them.

    `subject` and `sha256` are the certificate's; with `enrols`, systemd-boot can enrol it from the ESP.
    """

    FILE: ClassVar[str] = "sign.json"
    images: tuple[PartitionImage, ...]
    programs: tuple[SignedProgram, ...]
    certificate: Artefact
    subject: str
    sha256: Digest
    enrols: bool

    def files(self) -> Iterable[NamedFile]:
        """Return the partition and the certificate."""
        return [*self.images, self.certificate]


class Product(Value):
    """A file that the recipe asks for; `format` and `compression` are their names in recipes."""

    format: str
    compression: str
    file: Artefact


class Products(Handover):
    """Files that the recipe asks for."""

    products: tuple[Product, ...]

    def files(self) -> Iterable[NamedFile]:
        """Return them."""
        return [product.file for product in self.products]


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
    """Further files made of the disk; `made_of` says from what each was, so that only what changed is made anew.

    `parts` says what the disk was put together from, where there is no raw file, and `disk` what that came to.
    """

    FILE: ClassVar[str] = "convert.json"
    made_of: tuple[Digest, ...]
    partitions: tuple[WrittenPartition, ...]
    parts: Digest = Digest("")
    disk: Digest = Digest("")


class Archive(Products):
    """The image's tree as an archive."""

    FILE: ClassVar[str] = "archive.json"


class Packed(Products):
    """A tree as an initramfs, and beside it its kernel."""

    FILE: ClassVar[str] = "img.json"


class MediumSystem(Handover):
    """What a medium boots: a tree as an initramfs, and its kernel, whose `version` is what ``uname -r`` says."""

    FILE: ClassVar[str] = "medium.json"
    initramfs: Artefact
    kernel: Artefact
    version: str

    def files(self) -> Iterable[NamedFile]:
        """Return both."""
        return [self.initramfs, self.kernel]


class LiveTree(Handover):
    """The image's tree as a squashfs."""

    FILE: ClassVar[str] = "live.json"
    file: Artefact

    def files(self) -> Iterable[NamedFile]:
        """Return it."""
        return [self.file]


class Payload(Handover):
    """What an installation writes to a disk: an index, and the compressed images that it names, by their names."""

    FILE: ClassVar[str] = "payload.json"
    index: Artefact
    images: tuple[Artefact, ...]

    def files(self) -> Iterable[NamedFile]:
        """Return all of them."""
        return [self.index, *self.images]


class Medium(Products):
    """The ISO."""

    FILE: ClassVar[str] = "iso.json"
