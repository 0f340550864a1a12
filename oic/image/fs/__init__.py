"""File systems of partitions: a table of what each can hold. A module for each family creates them, see `making`.

To add one, write a module with a function `make`, and add a line to `FILE_SYSTEMS` and to `making.MAKERS`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from oic.errors import OicError
from oic.image.fs import fat_limits
from oic.values import Bytes, Value

if TYPE_CHECKING:
    from collections.abc import Callable

_MIB, _GIB, _TIB = 1 << 20, 1 << 30, 1 << 40


def _any_label(label: str) -> str:
    del label
    return ""


class FileSystem(Value):
    """A kind of file system: its type in fstab(5), the bytes that a label may have, and the sizes it can have.

    Equal content gives equal bytes, unless `is_drawn` says that identifiers or times are drawn anew each time.
    `label_problem` returns what a valid label is, if this one
    is invalid. `tools` names the packages that make it in a distribution's ``toolsFor``; empty for those that every
    build environment has. `holds_files` is false for one that no file can be put into at build time, `holds_owners` for
    one that has no owners, modes and links; `grows` is true for one that systemd-growfs(8) can enlarge while it is
    mounted.
    """

    mounted_as: str
    least: Bytes
    most: Bytes
    max_label: int = 0
    label_problem: Callable[[str], str] = _any_label
    tools: str = ""
    is_read_only: bool = False
    is_drawn: bool = False
    holds_files: bool = True
    holds_owners: bool = True
    grows: bool = False


def _ext(word: str, least: Bytes) -> FileSystem:
    return FileSystem(mounted_as=word, max_label=16, least=least, most=Bytes(16 * _TIB), grows=True)


FILE_SYSTEMS: dict[str, FileSystem] = {
    "ext4": _ext("ext4", Bytes(_MIB)),
    "ext3": _ext("ext3", Bytes(8 * _MIB)),
    "ext2": _ext("ext2", Bytes(_MIB)),
    **{
        word: FileSystem(
            mounted_as="vfat",
            max_label=11,
            label_problem=fat_limits.label_problem,
            least=least,
            most=most,
            holds_owners=False,
        )
        for word, (least, most) in fat_limits.SIZES.items()
    },
    "linux-swap": FileSystem(
        mounted_as="swap",
        max_label=15,
        least=Bytes(_MIB),
        most=Bytes(16 * _TIB),
        tools="swap",
        holds_files=False,
    ),
    "squashfs": FileSystem(
        mounted_as="squashfs",
        least=Bytes(_MIB),
        most=Bytes(16 * _TIB),
        tools="squashfs",
        is_read_only=True,
    ),
    "erofs": FileSystem(
        mounted_as="erofs",
        least=Bytes(_MIB),
        most=Bytes(16 * _TIB),
        tools="erofs",
        is_read_only=True,
    ),
    "btrfs": FileSystem(
        mounted_as="btrfs",
        max_label=255,
        least=Bytes(128 * _MIB),
        most=Bytes(1024 * _TIB),
        tools="btrfs",
        is_drawn=True,
        grows=True,
    ),
    "xfs": FileSystem(
        mounted_as="xfs",
        max_label=12,
        least=Bytes(300 * _MIB),
        most=Bytes(1024 * _TIB),
        tools="xfs",
        is_drawn=True,
        grows=True,
        holds_files=False,
    ),
}
"""By their names in recipes."""


def file_system(word: str) -> FileSystem:
    """Return the file system with a recipe's name; raises OicError for an unsupported one."""
    if word not in FILE_SYSTEMS:
        raise OicError(f"expected the file system {' or '.join(FILE_SYSTEMS)}, found {word}")
    return FILE_SYSTEMS[word]


def mounted_as(word: str) -> str:
    """Return the type in fstab(5) of a file system that a recipe names, which need not be in `FILE_SYSTEMS`."""
    return FILE_SYSTEMS[word].mounted_as if word in FILE_SYSTEMS else word
