"""Where a boot loader that reads file systems finds the files of the tree. Pure."""

from __future__ import annotations

from pathlib import PurePosixPath

from oic.config.sizes import SECTOR
from oic.values import Bytes, Sector, Value

CORE_READS = {
    **dict.fromkeys(("ext4", "ext3", "ext2"), "ext2"),
    **dict.fromkeys(("fat32", "fat16"), "fat"),
    "xfs": "xfs",
    "btrfs": "btrfs",
}
"""GRUB's module for each of the recipe's file systems that it can read /boot from."""


class CorePlace(Value):
    """Where GRUB's core image lies on the disk, for a BIOS: its first sector and how many it may take.

    It fills the partition of this id; without one it lies in the gap before the first partition.
    """

    sector: Sector
    sectors: int
    partition: str

    @property
    def offset(self) -> Bytes:
        """Return where it begins on the disk."""
        return Bytes(self.sector * SECTOR)


class BootPlace(Value):
    """The partition that holds /boot: its number, and its file system's UUID and kind, by the recipe's word.

    `at` is where it is mounted; `table` is the partition table's kind.
    """

    table: str
    number: int
    uuid: str
    file_system: str
    at: str
    core: CorePlace | None

    def path_of(self, path: str) -> str:
        """Return a path of the tree below /boot as GRUB has it: within that file system."""
        return f"/{PurePosixPath('/', path).relative_to(self.at)}"
