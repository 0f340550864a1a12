"""What a tree needs from a file system: the number of entries, the bytes in whole blocks, the extended attributes.

It is called where the tree is mounted and its owners are mapped, so that ``lstat`` and ``listxattr`` are right.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from oic.values import Value

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BLOCK = 4096
_SHORT_LINK = 60  # the target of a shorter one is in the inode
# Attributes of the building machine: SELinux shows a label on every file, and overlayfs uses some itself.
_FOREIGN_XATTRS = ("security.selinux", "trusted.overlay.", "user.overlay.")


class Xattr(Value):
    """An extended attribute of the file at `path`, absolute in the image."""

    path: bytes
    name: bytes
    value: bytes


class Survey(Value):
    """The number of entries of a tree, their bytes in whole blocks, and its extended attributes in order.

    `names` are the bytes that directories take for their entries beyond a block each, and long links for their targets.
    """

    entries: int
    content: int
    names: int
    xattrs: tuple[Xattr, ...]

    @property
    def attributes(self) -> int:
        """Return the bytes of attributes, in whole blocks for each file."""
        return len({xattr.path for xattr in self.xattrs}) * BLOCK


def survey_tree(tree: Path) -> Survey:
    """Walk a tree without following links; equal trees give equal surveys."""
    entries, content, names, xattrs, seen = 0, 0, 0, [*_xattrs(os.fsencode(tree), b"/")], set()
    for path, entry in _walk(os.fsencode(tree)):
        status = entry.stat(follow_symlinks=False)
        xattrs += _xattrs(entry.path, path)
        names += 2 * (12 + len(entry.name))  # directories are half full at least
        if (status.st_dev, status.st_ino) in seen:
            continue
        if status.st_nlink > 1 and not stat.S_ISDIR(status.st_mode):
            seen.add((status.st_dev, status.st_ino))
        entries += 1
        content += _content(status)
        names += BLOCK if stat.S_ISLNK(status.st_mode) and status.st_size >= _SHORT_LINK else 0
    return Survey(entries=entries, content=content, names=names, xattrs=tuple(xattrs))


def _walk(tree: bytes) -> Iterator[tuple[bytes, os.DirEntry[bytes]]]:
    """Yield each entry below a directory with its path in the image, directories by level, names in order."""
    waiting = [(tree, b"")]
    for directory, below in waiting:
        with os.scandir(directory) as found:
            entries = sorted(found, key=lambda entry: entry.name)
        for entry in entries:
            path = below + b"/" + entry.name
            yield path, entry
            if entry.is_dir(follow_symlinks=False):
                waiting.append((entry.path, path))


def _xattrs(source: bytes, path: bytes) -> list[Xattr]:
    names = sorted(os.fsencode(name) for name in os.listxattr(source, follow_symlinks=False))
    return [
        Xattr(path=path, name=name, value=os.getxattr(source, name, follow_symlinks=False))
        for name in names
        if not os.fsdecode(name).startswith(_FOREIGN_XATTRS)
    ]


def _content(status: os.stat_result) -> int:
    """Return the size of a file or directory in whole blocks, without holes."""
    if stat.S_ISREG(status.st_mode):
        return min(-(-status.st_size // BLOCK) * BLOCK, -(-status.st_blocks * 512 // BLOCK) * BLOCK)
    return BLOCK if stat.S_ISDIR(status.st_mode) else 0
