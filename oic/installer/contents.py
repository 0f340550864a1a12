"""What is on a disk, as wipefs(8) and blkid(8) find it: partition tables, file systems, parts of arrays."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from .blocks import read_blocks
from .door import run
from .errors import InstallError

if TYPE_CHECKING:
    from pathlib import Path

    from .disks import Disk
    from .payload import Partition, Payload


def signatures_of(path: str) -> list[str]:
    """Return the names of signatures on a device, each once, in their order; raises InstallError if it fails."""
    output = run(["wipefs", "--no-act", "--json", path])
    try:
        found = json.loads(output)["signatures"] if output.strip() else []
        return list(dict.fromkeys(str(one["type"]) for one in found))
    except (ValueError, LookupError, TypeError):
        raise InstallError(f"expected JSON from wipefs of {path}, found something else") from None


def contents_of(disk: Disk) -> str:
    """Return what is on a disk in words, or nothing of an empty one; what cannot be read does not count as empty."""
    try:
        names = signatures_of(disk.path)
    except InstallError as error:
        return f"cannot be read: {error.message.splitlines()[-1].strip()}"
    shown = ", ".join(name for name in names if name != "PMBR" or names == ["PMBR"])
    count = len(disk.partitions)
    if count:
        return f"{shown or 'no table'}, {count} partition{'s' if count > 1 else ''}"
    return shown


def has_foreign_file_system(path: str, payload: Payload, medium: Path) -> bool:
    """Tell whether a partition of the payload's layout has a file system with another UUID than its image."""
    for one in payload.partitions:
        found = _uuid(path, one.start)
        if found and found != _uuid_of_image(one, medium):
            return True
    return False


def _uuid(path: str, offset: int, fds: tuple[int, ...] = ()) -> str:
    """Return the UUID of the file system that begins there, or nothing; 2 is blkid's status for none, 8 for several."""
    argv = ["blkid", "--probe", "--output", "value", "--match-tag", "UUID", "--offset", str(offset), path]
    return run(argv, accept=(0, 2, 8), fds=fds).strip()


def _uuid_of_image(partition: Partition, medium: Path) -> str:
    if not partition.image:
        return ""
    fd = os.memfd_create("image")
    try:
        os.truncate(fd, partition.image.size)
        for block, data in read_blocks(medium, partition.image, partition.image.blocks[:1]):
            os.pwrite(fd, data, block.at)
        return _uuid(f"/proc/self/fd/{fd}", 0, (fd,))
    finally:
        os.close(fd)
