"""What a medium installs: partitions, boot code, and the files with their content.

* Offsets and sizes are in bytes. A disk has sectors of 512 bytes.
* A block of an image is one frame of zstd; what no block holds is zeros.
* A piece is boot code outside of partitions. The one in the first sector has 440 bytes at most: then comes the table.
"""

from __future__ import annotations

from dataclasses import dataclass

FOLDER = "oic/payload"
"""Of the medium, with a file for each image."""
SECTOR = 512
BOOT_CODE = 440
"""Bytes of the first sector that are code (UEFI 2.10, table 5.1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """`size` bytes at the plain offset `at`, stored as `length` bytes at `offset`; both digests are sha256."""

    at: int
    size: int
    offset: int
    length: int
    sha256: str
    stored: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A file of the payload: `size` bytes when unpacked, `stored` bytes as it is."""

    name: str
    size: int
    stored: int
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Partition:
    """A partition as the recipe's layout has it; `size` is the least of one that grows; `image` may be None."""

    id: str
    number: int
    start: int
    size: int
    type: str
    at: str
    grows: bool
    boots: bool
    image: Image | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Boot code and its offset on the disk."""

    offset: int
    image: Image


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What can be written where the root is only read: on a `partition`, or without one in memory; see `state`."""

    partition: Partition | None
    directories: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskPolicy:
    """The recipe's ``disk.path`` and ``disk.selectionPolicy``."""

    path: str
    strategy: str
    exclude_removable: bool
    require_empty: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """All that the medium installs; `system` is its name for people. A root that can be written to has no `state`."""

    image: str
    version: str
    system: str
    firmware: str
    least: int
    table: str
    label: str
    label_id: str
    partitions: tuple[Partition, ...]
    pieces: tuple[Piece, ...]
    images: tuple[Image, ...]
    disk: DiskPolicy
    state: State | None = None

    @property
    def stored(self) -> int:
        """Return how many bytes all files of the payload have."""
        return sum(image.stored for image in self.images)
