"""A layer with some paths of a configuration layer, for a program that must not see the others."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from oic.chroot import overlay
from oic.chroot.tree import Filled
from oic.process import child

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def fill(below: Sequence[Path], top: Path, paths: Sequence[str], epoch: int, place: Path) -> Filled:
    """Copy `paths` of the layer `top` into a new layer at `place`, over the layers `below`.

    Runs in a namespace. Files that `top` removes or replaces in the layers below are removed and replaced.
    """
    with overlay.merged(below, place / "root", upper=place / "tree", work=place / "work") as root:
        child.inside(root, _place_all, child.inside(top, _read_all, sorted(paths)))
    return Filled(epoch=epoch)


def _read_all(top: Path, paths: Sequence[str]) -> list[tuple[str, bytes, int, str]]:
    """Read paths of the configuration layer, which is the root here, so that no link leads out of it."""
    return [
        (*_read(source), str(source.relative_to(top)))
        for path in paths
        for source in (top / path, *(() if (top / path).is_symlink() else sorted((top / path).rglob("*"))))
    ]


def _place_all(root: Path, entries: Sequence[tuple[str, bytes, int, str]]) -> None:
    """Write them into a tree; a whiteout removes a file."""
    for entry in entries:
        _place(root, *entry)


def _read(source: Path) -> tuple[str, bytes, int]:
    if source.is_symlink():
        return "link", os.fsencode(os.readlink(source)), 0
    if source.is_char_device():
        return "gone", b"", 0
    mode = source.stat().st_mode & 0o7777
    if source.is_dir():
        replaced = "user.overlay.opaque" in os.listxattr(source)  # it hides the directory in the layers below
        return "new directory" if replaced else "directory", b"", mode
    return "file", source.read_bytes(), mode


def _place(root: Path, kind: str, content: bytes, mode: int, name: str) -> None:
    path = root / name
    if kind == "new directory" and path.exists():
        shutil.rmtree(path)
    if kind.endswith("directory"):
        path.mkdir(parents=True, exist_ok=True)
        path.chmod(mode)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    if kind == "link":
        path.symlink_to(os.fsdecode(content))
    elif kind == "file":
        path.write_bytes(content)
        path.chmod(mode)
