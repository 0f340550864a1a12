"""How large a file system has to be for a tree (``size: auto``). Pure.

* A quarter more than the content takes is free, and at least 64 MiB: that is the margin of docs/recipe.md.
* What is made first and is then as large as it is, squashfs and erofs, needs no estimate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from oic.values import Bytes

if TYPE_CHECKING:
    from oic.image.fs.survey import Survey

_MIB = 1 << 20
_LEAST_MARGIN = 64 * _MIB
_FAT_CLUSTER = 32 << 10
PACKED = frozenset({"squashfs", "erofs"})
"""The file systems that are as large as they come out."""


def room_for(word: str, survey: Survey, least: Bytes) -> Bytes:
    """Return the size of a file system, by its name in recipes, that has room for a tree and the margin."""
    content = survey.content + survey.names + survey.attributes
    content = content + max(content // 4, _LEAST_MARGIN)
    if word.startswith("ext"):
        needed = _ext(content, survey.entries)
    elif word.startswith("fat"):
        needed = content + survey.entries * _FAT_CLUSTER + 4 * _MIB
    elif word == "btrfs":  # chunks come in steps, metadata twice
        needed = content * 5 // 4 + survey.entries * 4096 + 160 * _MIB
    else:
        needed = content
    return whole_mib(max(needed, least))


def esp_room(content: int) -> Bytes:
    """Return the size of an EFI system partition that has room for its files twice, for an update beside them."""
    return whole_mib(max(2 * content + 8 * _MIB, 64 * _MIB))


def whole_mib(size: int) -> Bytes:
    """Return a size rounded up to whole MiB."""
    return Bytes(-(-size // _MIB) * _MIB)


def _ext(content: int, entries: int) -> int:
    """Return what content takes with its inodes, the journal, the group descriptors and those kept for growing."""
    inodes = entries * 5 // 4 * 256
    whole = content + inodes
    journal = min(max(whole // 32, 4 * _MIB), 1024 * _MIB) * 2
    return (whole + journal) * 103 // 100 + 8 * _MIB
