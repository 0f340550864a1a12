"""Writes a raw disk image: the partition table and the partition images in one sparse file.

    table | gap | image | image | ... | gap | the rest of the table

* What boots by a BIOS lies in front of the first partition: in the code part of sector 0, and in the gap.
* Holes stay holes: only the data of a partition image is copied, by the kernel (`os.copy_file_range`), which shares the
  blocks if the file system supports that.
* A partition image may be shorter than its partition, and the rest is zeros. A longer one is an error.
* The digest of a partition covers all its bytes on the disk, the digest of the disk the whole file.
"""

from __future__ import annotations

import errno
import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from oic.config.sizes import SECTOR
from oic.errors import OicError
from oic.files import atomic_file, data_in
from oic.image.disk.gpt import to_table
from oic.image.disk.kinds import BOOT_CODE, GPT
from oic.image.disk.mbr import to_records
from oic.image.disk.written import WrittenDisk, WrittenPartition
from oic.progress import doing
from oic.values import Digest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from oic.image.disk.placed import Layout, PlacedPartition

_CHUNK = 1 << 20
_ZEROS = bytes(_CHUNK)
# Errors of copy_file_range(2) after which bytes are copied by hand: two file systems (EXDEV), or no support.
_NOT_IN_KERNEL = frozenset({errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP})


def write_raw(
    path: Path, disk: Layout, images: Mapping[str, Path], pieces: Mapping[int, Path] | None = None
) -> WrittenDisk:
    """Write a disk with each image (by its partition's id) in place; partitions without one stay empty.

    `pieces` lie outside the partitions, by their offset. Raises OicError for an image longer than its partition or
    without one, and for a piece that is not outside.
    """
    _check(disk, images)
    table = table_of(disk)
    loose = {offset: piece.read_bytes() for offset, piece in (pieces or {}).items()}
    _check_pieces(disk, loose, len(table[0]))
    with atomic_file(path) as temporary:
        with temporary.open("r+b") as target:
            target.truncate(disk.size)
            for offset, piece in (*table.items(), *loose.items()):
                target.seek(offset)
                target.write(piece)
            target.flush()
            for partition in disk.partitions:
                if partition.id in images:
                    _copy(images[partition.id], target.fileno(), partition.offset)
        doing("computing its sha256")
        with ThreadPoolExecutor() as pool:  # hashlib releases the interpreter lock
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


def table_of(disk: Layout) -> dict[int, bytes]:
    """Return the bytes of a disk's partition table by their offsets; the first lie at 0."""
    if disk.table == GPT.name:
        table = to_table(disk)
        return {0: table.head, disk.size - len(table.tail): table.tail}
    return {sector * SECTOR: record for sector, record in to_records(disk).items()}


def sha256_of_span(path: Path, offset: int, size: int) -> Digest:
    """Return the sha256 of a part of a file; holes are hashed as zeros without being read."""
    digest = hashlib.sha256()
    buffer = memoryview(bytearray(_CHUNK))
    with path.open("rb", buffering=0) as file:
        at = offset
        for start, end in data_in(file.fileno(), offset, offset + size):
            _hash_zeros(digest, start - at)
            file.seek(start)
            at = start
            while at < end:
                count = file.readinto(buffer[: min(_CHUNK, end - at)])
                if not count:
                    raise OicError(f"expected {offset + size} bytes, found {at}", where=str(path))
                digest.update(buffer[:count])
                at += count
        _hash_zeros(digest, offset + size - at)
    return Digest(digest.hexdigest())


def _hash_zeros(digest: hashlib._Hash, count: int) -> None:
    while count > 0:
        digest.update(_ZEROS if count >= _CHUNK else _ZEROS[:count])
        count -= _CHUNK


def _check(disk: Layout, images: Mapping[str, Path]) -> None:
    sizes: dict[str, PlacedPartition] = {entry.id: entry for entry in disk.partitions}
    for name, image in images.items():
        if name not in sizes:
            raise OicError(
                f"expected an image of one of the partitions {', '.join(sizes)}, found one of '{name}'",
                where=str(image),
            )
        found = image.stat().st_size
        if found > sizes[name].size:
            limit = sizes[name].size
            raise OicError(f"expected at most {limit} bytes for partition '{name}', found {found}", where=str(image))


def _check_pieces(disk: Layout, pieces: Mapping[int, bytes], head: int) -> None:
    """Refuse a piece that reaches into a partition or into the table, in front of which the boot code is."""
    end_of_gap = min((entry.offset for entry in disk.partitions), default=disk.size)
    for offset, piece in pieces.items():
        end = offset + len(piece)
        if not (end <= BOOT_CODE if offset < head else end <= end_of_gap):
            raise OicError(f"expected bytes outside table and partitions, found {len(piece)} at {offset}")


def _copy(source: Path, target: int, offset: int) -> None:
    with source.open("rb", buffering=0) as file:
        for start, end in data_in(file.fileno(), 0, os.fstat(file.fileno()).st_size):
            at = start
            while at < end:
                count = _copy_some(file.fileno(), target, at, offset + at, end - at)
                if not count:
                    raise OicError(
                        f"expected {end} bytes, found {at}: the file was truncated while it was copied",
                        where=str(source),
                    )
                at += count


def _copy_some(source: int, target: int, at: int, to: int, count: int) -> int:
    """Copy up to `count` bytes in the kernel, or by hand where the kernel cannot; return how many."""
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
