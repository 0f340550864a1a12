"""The host's DNS configuration, for a command of the recipe that asked for the network.

The image's own /etc/resolv.conf may be missing, or a link to a file that only a running system has. A copy of the
host's file is mounted over it, or over the file it links to. Changes that the command makes to the copy are lost, and
files and directories that had to be created for the mount are removed again.
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
"""Its name in /dev, which is a tmpfs and not part of the tree."""


@contextlib.contextmanager
def host_resolver(box: Sandbox, host: Path = Path(_FILE)) -> Iterator[None]:
    """Use the file `host` of this namespace as the resolv.conf of a sandbox."""
    if not host.exists():
        yield
        return
    child.inside(box.dev, _write_copy, host.read_bytes())
    target, created = child.inside(box.root, _prepare)
    inside = box.root / target
    syscalls.mount(str(box.dev / _COPY), str(inside), flags=syscalls.MS_BIND)
    try:
        yield
    finally:
        syscalls.unmount(str(inside), syscalls.MNT_DETACH)
        child.inside(box.root, _undo, created)
        child.inside(box.dev, _remove_copy)


def _write_copy(dev: Path, content: bytes) -> None:
    _remove_copy(dev)
    with (dev / _COPY).open("xb") as file:
        file.write(content)


def _remove_copy(dev: Path) -> None:
    """Remove the copy, or what a command has replaced it with."""
    if (dev / _COPY).is_dir() and not (dev / _COPY).is_symlink():
        shutil.rmtree(dev / _COPY)
    else:
        (dev / _COPY).unlink(missing_ok=True)


def _prepare(root: Path) -> tuple[str, list[str]]:
    """Return the tree's file with links resolved, relative to the root, and the paths that were created for it."""
    path = Path(os.path.realpath(root / _FILE[1:]))
    created = [parent for parent in path.parents if not parent.exists()]
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        path.touch()
        created.insert(0, path)
    return str(path.relative_to("/")), [str(entry) for entry in created]


def _undo(_root: Path, created: list[str]) -> None:
    """Remove what was created, deepest path first; a directory stays if a command has created files in it."""
    for entry in created:
        path = Path(entry)
        with contextlib.suppress(OSError):
            path.rmdir() if path.is_dir() else path.unlink(missing_ok=True)
