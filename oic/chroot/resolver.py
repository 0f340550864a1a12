"""The host's name resolution, lent to a command of the recipe that asked for the network.

The image's own /etc/resolv.conf may be missing, or a link to what only a running system has. A copy of the host's file
is mounted over whatever it leads to: a command may change it, and what it changes is lost. What had to be made for that
is taken away again.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from oic.process import child, syscalls

if TYPE_CHECKING:
    from collections.abc import Iterator

    from oic.chroot.sandbox import Sandbox

_FILE = "/etc/resolv.conf"
_COPY = "resolv.conf"
"""Its name in /dev, which is memory and nobody's tree."""


@contextlib.contextmanager
def lent(box: Sandbox, host: Path = Path(_FILE)) -> Iterator[None]:
    """Make names resolvable in a sandbox, by what the file `host` of this namespace says."""
    if not host.exists():
        yield
        return
    child.inside(box.dev, _write_copy, host.read_bytes())
    target, made = child.inside(box.root, _prepare)
    inside = box.root / target
    syscalls.mount(str(box.dev / _COPY), str(inside), flags=syscalls.MS_BIND)
    try:
        yield
    finally:
        syscalls.unmount(str(inside), syscalls.MNT_DETACH)
        child.inside(box.root, _undo, made)
        child.inside(box.dev, _remove_copy)


def _write_copy(dev: Path, content: bytes) -> None:
    _remove_copy(dev)
    with (dev / _COPY).open("xb") as file:
        file.write(content)


def _remove_copy(dev: Path) -> None:
    """Remove the copy, or what a command has put in its place."""
    if (dev / _COPY).is_dir() and not (dev / _COPY).is_symlink():
        shutil.rmtree(dev / _COPY)
    else:
        (dev / _COPY).unlink(missing_ok=True)


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
    """Remove what was made; a directory that a command has put something into stays."""
    for entry in made:
        path = Path(entry)
        with contextlib.suppress(OSError):
            path.rmdir() if path.is_dir() else path.unlink(missing_ok=True)
