"""File systems of partitions: one module for each, which creates it and knows its limits.

To add one, write a module that implements `FileSystem`, and add its name to `FILE_SYSTEMS`.
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
class FileSystemSpec:
    """A file system to create in the file `image` from the directory `view`, which the image mounts `at` a path."""

    view: Path
    at: str
    image: Path
    size: Bytes
    uuid: str
    label: str
    epoch: int


class FileSystem(Protocol):
    """A kind of file system; each one is a module."""

    MOUNTED_AS: str
    """Its type in fstab(5)."""
    MAX_LABEL: int
    """The maximum length of a label, in bytes."""

    def label_problem(self, label: str) -> str:
        """Return what a valid label is, if this label is invalid; empty if it is valid."""

    def make(self, spec: FileSystemSpec, tools: Tools) -> None:
        """Write the image, a sparse file of `spec.size` bytes; equal content gives equal bytes.

        Raises OicError when the content does not fit or the file system cannot hold it, ToolError when a tool fails.
        """


FILE_SYSTEMS: dict[str, FileSystem] = {"ext4": ext4, "fat32": fat}
"""By their names in recipes."""


def file_system(word: str) -> FileSystem:
    """Return the file system with a recipe's name; raises OicError for an unsupported one."""
    if word not in FILE_SYSTEMS:
        raise OicError(f"expected the file system {' or '.join(FILE_SYSTEMS)}, found {word}")
    return FILE_SYSTEMS[word]


def mounted_as(word: str) -> str:
    """Return the type in fstab(5) of a file system that a recipe names, which need not be in `FILE_SYSTEMS`."""
    return FILE_SYSTEMS[word].MOUNTED_AS if word in FILE_SYSTEMS else _OTHERS.get(word, word)


_OTHERS = {"linux-swap": "swap"}
