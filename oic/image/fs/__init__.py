"""The file systems a partition can have: one file for each that makes it and says what it can hold.

A new one is a file with what `FileSystem` asks for, and its name in `FILE_SYSTEMS`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from oic.errors import OicError
from oic.image.fs import ext4, fat

if TYPE_CHECKING:
    from pathlib import Path

    from oic.image.tools import Tools
    from oic.values import Bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A file system to be made: of the directory `view`, which is mounted `at` a place of the image, into `image`."""

    view: Path
    at: str
    image: Path
    size: Bytes
    uuid: str
    label: str
    epoch: int


class FileSystem(Protocol):
    """One kind of file system; a module is one."""

    MOUNTED_AS: str
    """The kernel's word for it, as fstab(5) has it."""
    LONGEST_LABEL: int
    """In bytes."""

    def label_wanted(self, label: str) -> str:
        """Return what a label has to be, in words, if this one cannot be; empty if it can."""

    def make(self, wanted: Wanted, tools: Tools) -> None:
        """Write the image, `wanted.size` bytes, sparse, the same bits from the same content.

        Raises OicError when the content does not fit or cannot be held, ToolError when a tool fails.
        """


FILE_SYSTEMS: dict[str, FileSystem] = {"ext4": ext4, "fat32": fat}
"""By the recipe's word."""


def file_system(word: str) -> FileSystem:
    """Return the file system of a recipe's word; raises OicError for one that nobody here can make."""
    if word not in FILE_SYSTEMS:
        raise OicError(f"expected the file system {' or '.join(FILE_SYSTEMS)}, found {word}")
    return FILE_SYSTEMS[word]


def mounted_as(word: str) -> str:
    """Return the kernel's word for a file system that a recipe names, made here or not."""
    return FILE_SYSTEMS[word].MOUNTED_AS if word in FILE_SYSTEMS else _OTHERS.get(word, word)


_OTHERS = {"linux-swap": "swap"}
