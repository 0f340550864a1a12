"""Private keys in a tree that no package contains: generated during the build, the same on every machine.

* A file that a package lists belongs to the package if its content is unchanged. Only files that were written during
  the build are read, which have the time of their layer (see `oic.chroot.tree.clamp_times`), and files that no package
  lists.
* Only the beginning of a large file is read (`MAX_SEARCHED`).
"""

from __future__ import annotations

import hashlib
import stat
from typing import TYPE_CHECKING

from oic.chroot.tree import walk
from oic.files import open_regular
from oic.image.tree.privatekeys import MAX_SEARCHED, private_key_in

OF_RECIPE = "a file of the recipe"
"""The origin of a key that the recipe provides: it is the same in every build and on every machine."""

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path


def private_keys(
    root: Path, listed: Collection[str], sums: Mapping[str, str], epochs: Collection[int]
) -> dict[str, str]:
    """Return the kind of each private key that no package contains, by path. Runs with the tree as its root.

    `listed` are the paths of packages, `sums` the digests of their files, `epochs` the times of the layers.
    """
    found: dict[str, str] = {}
    for name, status in walk(root):
        path = f"/{name}"
        if stat.S_ISREG(status.st_mode) and (path not in listed or int(status.st_mtime) in epochs):
            kind = _kind_of(root / name)
            if kind and not _is_unchanged(root / name, sums.get(path, "")):
                found[path] = kind
    return found


def _kind_of(file: Path) -> str:
    with open_regular(file) as opened:
        return private_key_in(opened.read(MAX_SEARCHED))


def _is_unchanged(file: Path, known: str) -> bool:
    algorithm, _, digest = known.partition(":")
    with file.open("rb") as opened:
        return bool(digest) and hashlib.file_digest(opened, algorithm).hexdigest() == digest


def still_there(root: Path, paths: Collection[str]) -> list[str]:
    """Return the paths that hold a private key. Runs with the tree as its root."""
    files = {path: root / path[1:] for path in paths}
    return [path for path, file in files.items() if file.is_file() and not file.is_symlink() and _kind_of(file)]
