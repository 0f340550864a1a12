"""The mark of an installation that is not finished, in the first 440 bytes of the disk.

* It is the first thing that is written, and what replaces it, the boot code or zeros, is the last. The first sector is
  written as a whole: the mark is there or it is not.
* A BIOS that starts such a disk runs the mark: it goes on to the next device (INT 18h) or stops.
* A marked disk counts as empty if everything else on it is this installation's as well: no table, or the one of this
  medium; boot partitions that were not begun, or that begin as those of this medium; no file system but those of this
  medium (see `contents`). Otherwise somebody has used the disk since, with a program that leaves the mark where it is.
"""

from __future__ import annotations

import hashlib
import os
import uuid
from typing import TYPE_CHECKING

from .payload import BOOT_CODE, SECTOR

if TYPE_CHECKING:
    from .payload import Partition, Payload

_CODE = b"\xcd\x18\xf4\xeb\xfd"
"""INT 18h; HLT; a jump back to it."""
MARK = _CODE + b" oic: the installation of this disk is not finished. "
_GPT = b"EFI PART"


def mark_of(payload: Payload) -> bytes:
    """Return the bytes of the mark; they name the table that comes after it."""
    return (MARK + payload.label_id.encode()).ljust(BOOT_CODE, b"\0")[:BOOT_CODE]


def is_interrupted(payload: Payload, fd: int, size: int) -> bool:
    """Tell whether the disk has an installation of this payload that was interrupted, and nothing else."""
    first = os.pread(fd, SECTOR, 0)
    if first[:BOOT_CODE] != mark_of(payload):
        return False
    return _has_own_table(payload, fd, first, size) and all(
        _is_own(fd, one) for one in payload.partitions if one.boots and one.image
    )


def is_installed(payload: Payload, fd: int) -> bool:
    """Tell whether the disk has the table of this payload without a mark: its installation came to the end."""
    first = os.pread(fd, SECTOR, 0)
    if first[:BOOT_CODE] == mark_of(payload) or not any(first[446:510]):
        return False
    if payload.label == "gpt":
        header = os.pread(fd, SECTOR, SECTOR)
        return header.startswith(_GPT) and header[56:72] == uuid.UUID(payload.label_id).bytes_le
    return first[440:444] == int(payload.label_id, 16).to_bytes(4, "little")


def _has_own_table(payload: Payload, fd: int, first: bytes, size: int) -> bool:
    """Tell whether each copy of a table is this medium's or not there (UEFI 2.10, sections 5.2.1 and 5.3.2)."""
    headers = [os.pread(fd, SECTOR, at) for at in (SECTOR, size - SECTOR)]
    found = [header[56:72] for header in headers if header.startswith(_GPT)]
    if payload.label == "gpt":
        kinds = {first[at + 4] for at in range(446, 510, 16)} - {0, 0xEE}
        return not kinds and all(one == uuid.UUID(payload.label_id).bytes_le for one in found)
    identity = int(payload.label_id, 16).to_bytes(4, "little")
    return not found and (first[440:444] == identity or not any(first[440:510]))


def _is_own(fd: int, partition: Partition) -> bool:
    """Tell whether a boot partition begins with zeros, or with the first block of its image."""
    assert partition.image
    start = os.pread(fd, SECTOR, partition.start)
    if not any(start):
        return True
    first = next(iter(partition.image.blocks), None)
    if first is None or first.at != 0:
        return False
    return hashlib.sha256(os.pread(fd, first.size, partition.start)).hexdigest() == first.sha256
