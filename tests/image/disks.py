"""Disks to place and to write."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oic.config.model import Disk, Partition
from oic.image.disk.kinds import MIB
from oic.values import Bytes

if TYPE_CHECKING:
    from collections.abc import Iterable

ESP = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"
ROOT = "4f68bce3-e8cd-4db1-96e7-fbcaf984b709"
LINUX = "0FC63DAF-8483-4772-8E79-3D69D8477DE4"


def partition(
    name: str,
    start: int | None,
    size: int | None,
    *,
    end: int | None = None,
    type_uuid: str = LINUX,
    flags: tuple[str, ...] = (),
) -> Partition:
    return Partition(
        id=name,
        name=name,
        type_uuid=type_uuid,
        fs_type="ext4",
        fs_label="",
        start=None if start is None else Bytes(start),
        end=None if end is None else Bytes(end),
        size=None if size is None else Bytes(size),
        mount_point="none",
        mount_options="",
        flags=flags,
    )


def disk(size: int, partitions: Iterable[Partition], table: str = "gpt") -> Disk:
    return Disk(size=Bytes(size), table=table, partitions=tuple(partitions))


def default_disk() -> Disk:
    """The disk most distributions' defaults have."""
    return disk(
        4096 * MIB,
        [
            partition("boot", MIB, 512 * MIB, type_uuid=ESP, flags=("esp", "boot")),
            partition("rootfs", 513 * MIB, 2048 * MIB, type_uuid=ROOT, flags=("read-only",)),
            partition("hashes", 2561 * MIB, 500 * MIB, flags=("hidden", "no-auto")),
            partition("userdata", 3061 * MIB, None, flags=("grow",)),
        ],
    )
