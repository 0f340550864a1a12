"""How full a file system is, read from its superblock where it lies on a disk.

* ext2, ext3, ext4: https://www.kernel.org/doc/html/latest/filesystems/ext4/globals.html#super-block
* FAT32: Microsoft's FAT specification 1.03, the boot sector and the FSInfo sector.
"""

from __future__ import annotations

import struct
from typing import IO

_EXT_AT, _EXT_MAGIC = 1024, 0xEF53
_INCOMPAT_64BIT = 0x80
_FSINFO_LEAD, _FSINFO_STRUCT = 0x41615252, 0x61417272
_UNKNOWN = 0xFFFFFFFF


def used_bytes(disk: IO[bytes], offset: int) -> int | None:
    """Return how many bytes of the file system at an offset of a disk are in use; None for one not known here."""
    disk.seek(offset)
    head = disk.read(_EXT_AT + 1024)
    if len(head) < _EXT_AT + 1024:
        return None
    return _ext(head[_EXT_AT:]) or _fat32(disk, offset, head)


def _ext(block: bytes) -> int | None:
    if struct.unpack_from("<H", block, 0x38)[0] != _EXT_MAGIC:
        return None
    blocks, free = struct.unpack_from("<I", block, 0x4)[0], struct.unpack_from("<I", block, 0xC)[0]
    if struct.unpack_from("<I", block, 0x60)[0] & _INCOMPAT_64BIT:
        blocks += struct.unpack_from("<I", block, 0x150)[0] << 32
        free += struct.unpack_from("<I", block, 0x158)[0] << 32
    size: int = struct.unpack_from("<I", block, 0x18)[0]
    return int(blocks - free) << 10 << size if size <= 6 else None


def _fat32(disk: IO[bytes], offset: int, head: bytes) -> int | None:
    sector, per_cluster, reserved, fats = struct.unpack_from("<HBHB", head, 11)
    total, fat_size = struct.unpack_from("<II", head, 32)
    info = struct.unpack_from("<H", head, 48)[0]
    if head[82:90] != b"FAT32   " or not sector or not per_cluster:
        return None
    disk.seek(offset + info * sector)
    lead = disk.read(512)
    if len(lead) < 512 or struct.unpack_from("<I", lead)[0] != _FSINFO_LEAD:
        return None
    signature, free = struct.unpack_from("<II", lead, 484)
    if signature != _FSINFO_STRUCT or free == _UNKNOWN:
        return None
    clusters = (total - reserved - fats * fat_size) // per_cluster
    return int((clusters - free) * per_cluster * sector)
