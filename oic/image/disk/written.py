"""The record of a disk that was written: what lies where, with its digest."""

from __future__ import annotations

from oic.values import Bytes, Digest, Value


class WrittenPartition(Value):
    """What lies at a place of the disk."""

    id: str
    offset: Bytes
    size: Bytes
    sha256: Digest


class WrittenDisk(Value):
    """The record of a raw disk: its size, its digest and its partitions in table order."""

    size: Bytes
    sha256: Digest
    partitions: tuple[WrittenPartition, ...]
