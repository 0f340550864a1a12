"""Private keys in a tree that no package brought: drawn while the image was made, the same on every machine of it.

* A file that a package lists counts as the package's as long as it is as the package brings it. Only what was written
  while the tree was made is read: its time is the layer's, see `oic.chroot.tree.clamp_times`; and what nobody lists.
* Of a large file the beginning is read (`LOOKED_AT`).
"""

from __future__ import annotations

import hashlib
import stat
from typing import TYPE_CHECKING

from oic.chroot.tree import walk
from oic.files import open_regular
from oic.image.tree.privatekeys import LOOKED_AT, private_key_in

OF_RECIPE = "a file of the recipe"
"""Who made a key that the recipe gives: it is the same in every build, and on every machine."""

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path


def private_keys(
    root: Path, listed: Collection[str], sums: Mapping[str, str], epochs: Collection[int]
) -> dict[str, str]:
    """Return the kind of each private key that no package brought, by its path. Runs with the tree as its root.

    `listed` are the packages' paths, `sums` their digests, `epochs` the times of the layers.
    """
    found: dict[str, str] = {}
    for name, status in walk(root):
        path = f"/{name}"
        if stat.S_ISREG(status.st_mode) and (path not in listed or int(status.st_mtime) in epochs):
            kind = _kind_of(root / name)
            if kind and not _is_as_brought(root / name, sums.get(path, "")):
                found[path] = kind
    return found


def _kind_of(file: Path) -> str:
    with open_regular(file) as opened:
        return private_key_in(opened.read(LOOKED_AT))


def _is_as_brought(file: Path, known: str) -> bool:
    algorithm, _, digest = known.partition(":")
    with file.open("rb") as opened:
        return bool(digest) and hashlib.file_digest(opened, algorithm).hexdigest() == digest


def still_there(root: Path, paths: Collection[str]) -> list[str]:
    """Return those of the paths where a private key is. Runs with the tree as its root."""
    files = {path: root / path[1:] for path in paths}
    return [path for path, file in files.items() if file.is_file() and not file.is_symlink() and _kind_of(file)]
