"""The bytes of a master boot record and of the chain of extended records. Pure.

    LBA 0            | 1 MiB |                      |      1 MiB      |               |      1 MiB
    | code, 4 entries | gap  | partition 1, 2, 3    | record of 5 ... | partition 5   | record of 6 ... | partition 6
                                                    '------------------ extended: partition 4 --------------------

* Up to four partitions are entries of the MBR itself. Of more, the first three are; the fourth entry is the extended
  partition, in which each other one lies a MiB behind its record.
* A record has an entry for its partition, counted from the record, and one for the next record, counted from the start
  of the extended partition.

Format: UEFI specification 2.10, section 5.2.1 (the table of an MBR); the chain as Linux reads it (block/partitions/
msdos.c). Cylinders, heads and sectors are of a disk with 255 heads and 63 sectors, as sfdisk writes them.
"""

from __future__ import annotations

import itertools
import struct
from typing import TYPE_CHECKING

from oic.image.disk.kinds import ALIGNMENT, BOOT_CODE, MBR

if TYPE_CHECKING:
    from oic.image.disk.placed import Layout, PlacedPartition

_ENTRY = struct.Struct("<B3sB3sII")
_HEADS, _SECTORS, _CYLINDERS = 255, 63, 1024
_EXTENDED = 0x05
_SIGNATURE = b"\x55\xaa"


def extended_of(disk: Layout) -> tuple[int, int] | None:
    """Return the first sector of the extended partition, and the first after it; None where there is none."""
    logical = _logical(disk)
    return (logical[0].start - ALIGNMENT, max(_end(entry) for entry in logical)) if logical else None


def to_records(disk: Layout) -> dict[int, bytes]:
    """Return the records of a layout's table by their first sector; equal layouts give equal bytes."""
    entries = [
        _entry(entry.attributes, int(entry.type, 16), entry.start, entry.sectors)
        for entry in disk.partitions
        if entry.index <= MBR.slots
    ]
    records = {}
    if extended := extended_of(disk):
        start, end = extended
        entries.append(_entry(0, _EXTENDED, start, end - start))
        for entry, following in itertools.zip_longest(_logical(disk), _logical(disk)[1:]):
            records[entry.start - ALIGNMENT] = _record(start, entry, following)
    code = bytes(BOOT_CODE) + struct.pack("<I2x", int(disk.disk_uuid, 16))
    return {0: code + b"".join(entries).ljust(64, b"\0") + _SIGNATURE, **records}


def _logical(disk: Layout) -> list[PlacedPartition]:
    return [entry for entry in disk.partitions if entry.index > MBR.slots]


def _end(entry: PlacedPartition) -> int:
    return entry.start + entry.sectors


def _record(extended: int, entry: PlacedPartition, following: PlacedPartition | None) -> bytes:
    own = _entry(entry.attributes, int(entry.type, 16), entry.start, entry.sectors, since=entry.start - ALIGNMENT)
    after = b""
    if following:
        start = following.start - ALIGNMENT
        after = _entry(0, _EXTENDED, start, _end(following) - start, since=extended)
    return bytes(446) + (own + after).ljust(64, b"\0") + _SIGNATURE


def _entry(status: int, kind: int, start: int, sectors: int, since: int = 0) -> bytes:
    return _ENTRY.pack(status, _chs(start), kind, _chs(start + sectors - 1), start - since, sectors)


def _chs(sector: int) -> bytes:
    """Return a sector's cylinder, head and sector, or the last there are."""
    track, below = divmod(sector, _SECTORS)
    cylinder, head = divmod(track, _HEADS)
    if cylinder >= _CYLINDERS:
        cylinder, head, below = _CYLINDERS - 1, _HEADS - 1, _SECTORS - 1
    return bytes([head, (below + 1) | (cylinder >> 8) << 6, cylinder & 0xFF])
