"""Reads the times in the inodes of an ext2, ext3 or ext4 image.

* It reads only what `oic.image.fs.ext` creates: 4 KiB blocks, 256-byte inodes, no meta_bg, group descriptors of 64
  bytes with the feature 64bit, of 32 without.
* It reads as many inodes as are in use, not whole inode tables.

Format: Linux Documentation/filesystems/ext4, "The Super Block", "Block Group Descriptors", "Index Nodes".
"""

from __future__ import annotations

import struct
from typing import IO, TYPE_CHECKING

from oic.errors import ToolError
from oic.files import open_output

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_BLOCK = 4096
_INODE = 256
_LONG, _SHORT = 64, 32
_FIELDS = ("atime", "ctime", "mtime", "ctime_extra", "mtime_extra", "atime_extra", "crtime", "crtime_extra")
_TIMES = struct.Struct("<8x3I112x5I")


def read_times(image: Path) -> Iterator[tuple[int, dict[str, int]]]:
    """Yield the number and the times of each inode in use; raises ToolError for another kind of image.

    The times are the raw 32 bits; the fields ``_extra`` hold nanoseconds and epoch bits.
    """
    with open_output(image) as file:
        yield from times_in(file, image)


def times_in(file: IO[bytes], image: Path) -> Iterator[tuple[int, dict[str, int]]]:
    """Do the same for an open image."""
    try:
        yield from _times(file, image)
    except (struct.error, OverflowError):
        raise _wrong_image("a truncated one", image) from None


def _times(file: IO[bytes], image: Path) -> Iterator[tuple[int, dict[str, int]]]:
    inodes, free, per_group, descriptor = _superblock(file, image)
    left, number = inodes - free, 0
    for table in _tables(file, -(-inodes // per_group), descriptor):
        file.seek(table * _BLOCK)
        for _ in range(min(per_group, inodes - number)):
            raw = file.read(_INODE)
            number += 1
            (mode,) = struct.unpack_from("<H", raw)
            if mode:
                yield number, dict(zip(_FIELDS, _TIMES.unpack_from(raw), strict=True))
            left -= bool(mode and number > 10)
            if left <= 10:  # inodes 1 to 10 are reserved and always counted as in use
                return


def _wrong_image(found: str, image: Path) -> ToolError:
    return ToolError(f"expected an ext image with the features given to mke2fs, found {found}", where=str(image))


def _superblock(file: IO[bytes], image: Path) -> tuple[int, int, int, int]:
    file.seek(1024)
    raw = file.read(1024)
    inodes, free, log_size, per_group = struct.unpack_from("<I12xI4xI12xI", raw)
    (magic,) = struct.unpack_from("<H", raw, 56)
    (inode_size,) = struct.unpack_from("<H", raw, 88)
    (descriptor_size,) = struct.unpack_from("<H", raw, 254)
    descriptor = {_LONG: _LONG, 0: _SHORT}.get(descriptor_size)
    if (magic, log_size, inode_size) != (0xEF53, 2, _INODE) or descriptor is None or not per_group:
        raise _wrong_image("another kind", image)
    return inodes, free, per_group, descriptor


def _tables(file: IO[bytes], groups: int, descriptor: int) -> Iterator[int]:
    """Yield the block number of the inode table of each group."""
    for group in range(groups):
        file.seek(_BLOCK + group * descriptor)
        raw = file.read(descriptor)
        high = struct.unpack_from("<I", raw, 40)[0] if descriptor == _LONG else 0
        yield struct.unpack_from("<I", raw, 8)[0] | high << 32
