"""Enlarges the file system of the partition that takes the rest of the disk.

* ext2, ext3 and ext4 where they lie on the disk, not mounted: e2fsck(8), resize2fs(8).
* xfs and btrfs while they are mounted: xfs_growfs(8), btrfs(8).
* Others stay as large as their image: FAT, swap and file systems that are read-only.
"""

from __future__ import annotations

import os
import stat
import tempfile
from typing import TYPE_CHECKING

from .door import run

if TYPE_CHECKING:
    from pathlib import Path

    from .table import Span

EXT = ("ext2", "ext3", "ext4")
MOUNTED = ("xfs", "btrfs")
_KIB, _MIB = 1 << 10, 1 << 20


def grow_ext(disk: str, span: Span) -> None:
    """Enlarge a file system to its partition."""
    if stat.S_ISBLK(os.stat(disk).st_mode):
        _resize(f"{disk}?offset={span.start}", span.size)
        return
    # Of a file, resize2fs would cut off all behind the file system's size, whatever its offset.
    with tempfile.NamedTemporaryFile(dir=os.path.dirname(disk) or ".") as part, open(disk, "r+b") as whole:
        part.truncate(span.size)
        _copy(whole.fileno(), span.start, part.fileno(), 0, span.size)
        _resize(part.name, span.size)
        _copy(part.fileno(), 0, whole.fileno(), span.start, span.size)


def _resize(place: str, size: int) -> None:
    """Check and enlarge a file system; status 1 of e2fsck means that it has corrected something."""
    run(["e2fsck", "-f", "-p", place], accept=(0, 1))
    run(["resize2fs", place, f"{size // _KIB}K"])


def _copy(source: int, at: int, target: int, to: int, size: int) -> None:
    for done in range(0, size, _MIB):
        data = os.pread(source, min(_MIB, size - done), at + done)
        os.pwrite(target, data, to + done)


def grow_mounted(kind: str, at: Path) -> None:
    """Enlarge a file system that is mounted."""
    argv = {"xfs": ["xfs_growfs"], "btrfs": ["btrfs", "filesystem", "resize", "max"]}
    run([*argv[kind], str(at)])
