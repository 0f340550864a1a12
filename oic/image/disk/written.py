"""The record of a disk image that was written: its size, its digest and its partitions."""

from __future__ import annotations

from oic.values import Bytes, Digest, Value


class WrittenPartition(Value):
    """A partition on the disk: its position and its digest."""

    id: str
    offset: Bytes
    size: Bytes
    sha256: Digest


class WrittenDisk(Value):
    """A disk image: its size, its digest and its partitions in table order."""

    size: Bytes
    sha256: Digest
    partitions: tuple[WrittenPartition, ...]
