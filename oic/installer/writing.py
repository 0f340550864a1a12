"""Writes a payload to a disk, in the order that leaves no disk which boots into half of a system.

    mark │ starts and ends wiped │ table │ file systems │ … │ boot partitions │ their first blocks │ boot code or zeros

* After each step everything before it is on the disk: fsync(2).
* Of a boot partition the first block is written last, so that the firmware finds no file system in it before.
* Where a block of an image was not listed, zeros are written; by the device itself where it can (BLKZEROOUT).
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import struct
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .blocks import read_blocks
from .errors import InstallError
from .marker import mark_of
from .payload import BOOT_CODE, SECTOR

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from .payload import Block, Image, Payload
    from .table import Span

    Progress = Callable[[int], None]
    """Is told how many bytes were done since it was told before, when they are on the disk."""

_MIB = 1 << 20
_SYNC = 64 * _MIB
"""After so many bytes the disk is waited for, so that what is said of the progress is true."""
_PATIENCE = 20.0
"""Seconds that something else may have the disk."""
_BLKZEROOUT = 0x127F
_BLKRRPART = 0x125F


@contextmanager
def opened(path: str) -> Iterator[int]:
    """Open a disk for writing, alone: raises InstallError while something uses it."""
    try:
        status = os.stat(path)
        alone = os.O_EXCL if stat.S_ISBLK(status.st_mode) else 0
        fd = os.open(path, os.O_RDWR | alone | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError as error:
        raise InstallError(f"expected to open {path} alone: {error.strerror}") from None
    try:
        yield fd
    except OSError as error:
        raise InstallError(f"{path} cannot be written: {error.strerror}", hint="is the disk damaged?") from None
    finally:
        os.close(fd)


@contextmanager
def locked(path: str) -> Iterator[None]:
    """Keep udev from the disk until it is whole (systemd.io, "Locking Block Device Access")."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        _patiently(lambda: fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB), f"the lock of {path}")
        yield
    finally:
        os.close(fd)


def reread_table(fd: int) -> None:
    """Let the kernel read the table of an open disk, BLKRRPART; a file has no such thing."""
    if stat.S_ISBLK(os.fstat(fd).st_mode):
        _patiently(lambda: fcntl.ioctl(fd, _BLKRRPART), "the kernel to read the partition table")


def _patiently(call: Callable[[], object], what: str) -> None:
    """Call again while something else, such as a probe by udev, has the disk; raises InstallError after a while."""
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            call()
        except OSError as error:
            if error.errno not in (errno.EBUSY, errno.EAGAIN) or time.monotonic() > until:
                raise InstallError(f"expected {what}: {error.strerror}") from None
            time.sleep(0.2)
        else:
            return


def wipe(fd: int, size: int, payload: Payload, spans: Mapping[int, Span]) -> None:
    """Mark the disk, and overwrite what is left of tables and file systems where some are looked for."""
    _write_all(fd, mark_of(payload).ljust(SECTOR, b"\0"), 0)
    os.fsync(fd)
    ends = [(0, size), *((span.start, span.start + span.size) for span in spans.values())]
    for start, end in ends:
        for at, until in ((start, min(start + _MIB, end)), (max(end - _MIB, start), end)):
            zero(fd, max(at, SECTOR), until)
    os.fsync(fd)


def write_file_systems(fd: int, medium: Path, payload: Payload, progress: Progress) -> None:
    """Write the partitions that do not make the disk boot."""
    for one in payload.partitions:
        if one.image and not one.boots:
            _write_image(fd, medium, one.image, one.start, progress)
    os.fsync(fd)


def write_boot(fd: int, medium: Path, payload: Payload, progress: Progress) -> None:
    """Write what makes the disk boot: of boot partitions the first blocks last, then the boot code in the first sector.

    The mark is gone only with the last write.
    """
    boots = [(one.image, one.start) for one in payload.partitions if one.image and one.boots]
    pieces = [(one.image, one.offset) for one in payload.pieces if one.offset]
    for image, at in boots:
        _write_image(fd, medium, image, at, progress, leave_first=True)
    for image, at in pieces:
        _write_image(fd, medium, image, at, progress)
    os.fsync(fd)
    for image, at in boots:
        for block, data in read_blocks(medium, image, image.blocks[:1]):
            _write_all(fd, data, at + block.at)
            progress(block.size)
    os.fsync(fd)
    sector = bytearray(BOOT_CODE) + os.pread(fd, SECTOR, 0)[BOOT_CODE:]
    for one in payload.pieces:
        for block, data in read_blocks(medium, one.image) if not one.offset else ():
            sector[block.at : block.at + block.size] = data
    _write_all(fd, bytes(sector), 0)
    os.fsync(fd)


def written_size(payload: Payload) -> int:
    """Return how many bytes `write_file_systems` and `write_boot` tell of."""
    images = [one.image for one in payload.partitions if one.image]
    images += [one.image for one in payload.pieces if one.offset]
    return sum(image.size for image in images)


def _write_image(  # noqa: PLR0913 - the disk, the source, the place, and what is said of it
    fd: int, medium: Path, image: Image, start: int, progress: Progress, *, leave_first: bool = False
) -> None:
    """Write an image at its place; with `leave_first`, the place of its first block has zeros."""
    counter = _Counter(fd, progress)
    blocks = image.blocks[1:] if leave_first else image.blocks
    at = 0
    for block, data in read_blocks(medium, image, blocks):
        counter.add(_zero_between(fd, start, at, block))
        _write_all(fd, data, start + block.at)
        counter.add(block.size)
        at = block.at + block.size
    zero(fd, start + at, start + image.size)
    counter.add(image.size - at)
    if leave_first and image.blocks:
        counter.add(-image.blocks[0].size)
    counter.flush()


def _zero_between(fd: int, start: int, at: int, block: Block) -> int:
    zero(fd, start + at, start + block.at)
    return block.at - at


class _Counter:
    """Tells of bytes when they are on the disk."""

    def __init__(self, fd: int, progress: Progress) -> None:
        self._fd, self._progress, self._count = fd, progress, 0

    def add(self, count: int) -> None:
        self._count += count
        if self._count >= _SYNC:
            self.flush()

    def flush(self) -> None:
        os.fdatasync(self._fd)
        self._progress(self._count)
        self._count = 0


def _write_all(fd: int, data: bytes, at: int) -> None:
    view = memoryview(data)
    while view:
        count = os.pwrite(fd, view, at)
        view, at = view[count:], at + count


def zero(fd: int, start: int, end: int) -> None:
    """Write zeros to a part of a disk."""
    if start >= end:
        return
    whole = start % SECTOR == 0 and end % SECTOR == 0
    if whole and stat.S_ISBLK(os.fstat(fd).st_mode):
        try:
            for at in range(start, end, _SYNC):
                fcntl.ioctl(fd, _BLKZEROOUT, struct.pack("=QQ", at, min(_SYNC, end - at)))
        except OSError:  # a device or driver that cannot: written by hand, from the start again
            pass
        else:
            return
    for at in range(start, end, _MIB):
        _write_all(fd, bytes(min(_MIB, end - at)), at)
