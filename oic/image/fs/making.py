"""Creates file systems: what makes each kind, by its type in fstab(5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from oic.image.fs import btrfs, erofs, ext, fat, file_system, squashfs, swap, xfs

if TYPE_CHECKING:
    from oic.image.fs.spec import FileSystemSpec
    from oic.image.tools import Tools


class Maker(Protocol):
    """What creates one kind of file system."""

    def __call__(self, spec: FileSystemSpec, tools: Tools) -> None:
        """Write the image, a sparse file.

        Raises OicError where the content does not fit or the file system cannot hold it, ToolError when a tool fails.
        """


MAKERS: dict[str, Maker] = {
    "ext4": ext.make,
    "ext3": ext.make,
    "ext2": ext.make,
    "vfat": fat.make,
    "swap": swap.make,
    "squashfs": squashfs.make,
    "erofs": erofs.make,
    "btrfs": btrfs.make,
    "xfs": xfs.make,
}


def make(spec: FileSystemSpec, tools: Tools) -> None:
    """Create a file system; raises as `Maker` does, and OicError for an unsupported kind."""
    MAKERS[file_system(spec.type).mounted_as](spec, tools)
