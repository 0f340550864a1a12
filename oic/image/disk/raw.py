"""The raw disk: the partition table and the partition images put together in one sparse file, nothing else.

    table.head | gap | image | image | ... | gap | table.tail

* Holes stay holes: only what a partition image really holds is copied, in the kernel (`os.copy_file_range`), which
  shares the blocks where the file system can.
* A partition image is as long as its partition, or shorter: the rest reads as zeros. Longer is an error.
* A partition's digest is of all its bytes as they lie on the disk, the disk's of the whole file.
"""

from __future__ import annotations

import errno
import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from oic.errors import OicError
from oic.files import atomic_file
from oic.image.disk.gpt import to_table
from oic.image.disk.written import WrittenDisk, WrittenPartition
from oic.values import Digest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from oic.image.disk.geometry import Layout, PlacedPartition

_CHUNK = 1 << 20
_ZEROS = bytes(_CHUNK)
# No copying inside the kernel: between file systems (EXDEV), or a kernel or file system that cannot.
_NOT_IN_KERNEL = frozenset({errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP})


def write_raw(path: Path, disk: Layout, images: Mapping[str, Path]) -> WrittenDisk:
    """Write a disk with each image (by its partition's id) in place; partitions without one stay empty.

    Raises OicError for an image longer than its partition or without one.
    """
    _check(disk, images)
    table = to_table(disk)
    with atomic_file(path) as temporary:
        with temporary.open("r+b") as target:
            target.truncate(disk.size)
            target.write(table.head)
            target.seek(disk.size - len(table.tail))
            target.write(table.tail)
            target.flush()
            for partition in disk.partitions:
                if partition.id in images:
                    _copy(images[partition.id], target.fileno(), partition.offset)
        with ThreadPoolExecutor() as pool:  # hashlib lets go of the interpreter lock
            whole = pool.submit(sha256_of_span, temporary, 0, disk.size)
            parts = [pool.submit(sha256_of_span, temporary, entry.offset, entry.size) for entry in disk.partitions]
            record = WrittenDisk(
                size=disk.size,
                sha256=whole.result(),
                partitions=tuple(
                    WrittenPartition(id=entry.id, offset=entry.offset, size=entry.size, sha256=part.result())
                    for entry, part in zip(disk.partitions, parts, strict=True)
                ),
            )
    return record


def sha256_of_span(path: Path, offset: int, size: int) -> Digest:
    """Return the sha256 of a part of a file; holes are hashed as zeros without being read."""
    digest = hashlib.sha256()
    buffer = memoryview(bytearray(_CHUNK))
    with path.open("rb", buffering=0) as file:
        at = offset
        for start, end in _data(file.fileno(), offset, offset + size):
            _hash_zeros(digest, start - at)
            file.seek(start)
            at = start
            while at < end:
                count = file.readinto(buffer[: min(_CHUNK, end - at)])
                if not count:
                    raise OicError(f"ended at {at} bytes, expected {offset + size}", where=str(path))
                digest.update(buffer[:count])
                at += count
        _hash_zeros(digest, offset + size - at)
    return Digest(digest.hexdigest())


def _hash_zeros(digest: hashlib._Hash, count: int) -> None:
    while count > 0:
        digest.update(_ZEROS if count >= _CHUNK else _ZEROS[:count])
        count -= _CHUNK


def _data(file: int, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the stretches between two offsets that hold data; a file system that knows no holes gives one."""
    at = start
    while at < end:
        try:
            at = os.lseek(file, at, os.SEEK_DATA)
        except OSError as error:
            if error.errno == errno.ENXIO:  # a hole up to the end of the file
                return
            raise
        stop = min(os.lseek(file, at, os.SEEK_HOLE), end)
        if at < stop:
            yield at, stop
        at = stop


def _check(disk: Layout, images: Mapping[str, Path]) -> None:
    sizes: dict[str, PlacedPartition] = {entry.id: entry for entry in disk.partitions}
    for name, image in images.items():
        if name not in sizes:
            raise OicError(f"an image for partition '{name}', expected one of {', '.join(sizes)}", where=str(image))
        found = image.stat().st_size
        if found > sizes[name].size:
            limit = sizes[name].size
            raise OicError(f"expected at most {limit} bytes for partition '{name}', found {found}", where=str(image))


def _copy(source: Path, target: int, offset: int) -> None:
    with source.open("rb", buffering=0) as file:
        for start, end in _data(file.fileno(), 0, os.fstat(file.fileno()).st_size):
            at = start
            while at < end:
                count = _copy_some(file.fileno(), target, at, offset + at, end - at)
                if not count:
                    raise OicError(f"ended at {at} bytes while copied, expected {end}", where=str(source))
                at += count


def _copy_some(source: int, target: int, at: int, to: int, count: int) -> int:
    """Copy up to `count` bytes inside the kernel, or by hand where it cannot; returns how many."""
    try:
        return os.copy_file_range(source, target, count, at, to)
    except OSError as error:
        if error.errno not in _NOT_IN_KERNEL:
            raise
    done = 0
    chunk = os.pread(source, min(count, _CHUNK), at)
    while done < len(chunk):
        done += os.pwrite(target, chunk[done:], to + done)
    return done
