"""The host's name resolution, lent to a command of the recipe that asked for the network.

The image's own /etc/resolv.conf may be missing, or a link to what only a running system has. The host's file is
mounted over whatever it leads to, and what had to be made for that is taken away again.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from oic.chroot import child, kernel

if TYPE_CHECKING:
    from collections.abc import Iterator

_FILE = "/etc/resolv.conf"


@contextlib.contextmanager
def lent(root: Path) -> Iterator[None]:
    """Make names resolvable in the mounted tree `root`, in a namespace."""
    if not Path(_FILE).exists():
        yield
        return
    target, made = child.inside(root, _prepare)
    inside = root / target
    kernel.mount(os.path.realpath(_FILE), str(inside), flags=kernel.MS_BIND)
    try:
        yield
    finally:
        kernel.unmount(str(inside), kernel.MNT_DETACH)
        child.inside(root, _undo, made)


def _prepare(root: Path) -> tuple[str, list[str]]:
    """Return where the tree's file really is, below its root, and what was made to have it, deepest first."""
    path = Path(os.path.realpath(root / _FILE[1:]))
    made = [parent for parent in path.parents if not parent.exists()]
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        path.touch()
        made.insert(0, path)
    return str(path.relative_to("/")), [str(entry) for entry in made]


def _undo(_root: Path, made: list[str]) -> None:
    for entry in made:
        path = Path(entry)
        path.rmdir() if path.is_dir() else path.unlink(missing_ok=True)
