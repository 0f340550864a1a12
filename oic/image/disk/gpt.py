"""The bytes of a GUID partition table: protective MBR, header and entries, and the backup. Pure.

    LBA 0          1         2 … 33                          n-33 … n-2        n-1
    | protective | header  | 128 entries |  partitions  ...  | 128 entries   | header  |
    '----------------- head -------------'                   '--------- tail ----------'

Format: UEFI specification 2.10, section 5.2.3 (protective MBR) and 5.3 (GPT). All numbers are little-endian; GUIDs have
their first three fields swapped (appendix A).
"""

from __future__ import annotations

import struct
import uuid
import zlib
from typing import TYPE_CHECKING

from oic.config.sizes import SECTOR
from oic.image.disk.kinds import GPT
from oic.values import Sector, Value

if TYPE_CHECKING:
    from oic.image.disk.placed import Layout, PlacedPartition
    from oic.values import Bytes

_HEADER = struct.Struct("<8s4sIIIQQQQ16sQIII")
_ENTRY = struct.Struct("<16s16sQQQ72s")
_REVISION = b"\x00\x00\x01\x00"


class Table(Value):
    """The bytes at the start of the disk, and those at its end."""

    head: bytes
    tail: bytes


def to_table(disk: Layout) -> Table:
    """Return both copies of a layout's table; equal layouts give equal bytes."""
    last = Sector(disk.size // SECTOR - 1)
    entries = b"".join(_entry(partition) for partition in disk.partitions).ljust(
        GPT.max_partitions * _ENTRY.size, b"\0"
    )
    primary = _header(disk, entries, own=Sector(1), other=last, entries_at=Sector(2))
    backup = _header(disk, entries, own=last, other=Sector(1), entries_at=Sector(last + 1 - GPT.backup_sectors))
    return Table(head=_protective_mbr(last) + primary + entries, tail=entries + backup)


def last_usable(size: Bytes) -> Sector:
    """Return the last sector before the backup table of a disk of this size."""
    return Sector(size // SECTOR - GPT.backup_sectors - 1)


def _guid(text: str) -> bytes:
    return uuid.UUID(text).bytes_le


def _entry(partition: PlacedPartition) -> bytes:
    return _ENTRY.pack(
        _guid(partition.type),
        _guid(partition.part_uuid),
        partition.start,
        partition.start + partition.sectors - 1,
        partition.attributes,
        partition.name.encode("utf-16-le"),
    )


def _header(disk: Layout, entries: bytes, *, own: Sector, other: Sector, entries_at: Sector) -> bytes:
    def packed(crc: int) -> bytes:
        return _HEADER.pack(
            b"EFI PART", _REVISION, _HEADER.size, crc, 0, own, other, GPT.first_usable, last_usable(disk.size),
            _guid(disk.disk_uuid), entries_at, GPT.max_partitions, _ENTRY.size, zlib.crc32(entries),
        )  # fmt: skip

    return packed(zlib.crc32(packed(0))).ljust(SECTOR, b"\0")


def _protective_mbr(last: Sector) -> bytes:
    """Return an MBR with one partition of type 0xEE over the whole disk, for old tools (section 5.2.3, table 5.4)."""
    record = struct.pack("<B3sB3sII", 0, b"\x00\x02\x00", 0xEE, b"\xff\xff\xff", 1, min(last, 0xFFFFFFFF))
    return bytes(446) + record + bytes(48) + b"\x55\xaa"
