"""What of a tree goes on which partition: the tree from its mount point on, what other partitions hold left out.

* A mount point is looked for inside the tree, where a link leads into the tree and nowhere else: what is mounted and
  read afterwards is a path without links.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from oic.errors import OicError
from oic.process import syscalls

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


def places(root: Path, mount_points: Sequence[str]) -> dict[str, str]:
    """Return where in the tree each mount point is, made where it is not. Runs with the tree as its root."""
    found: dict[str, str] = {}
    for at in mount_points:
        if (root / at[1:]).is_symlink():
            raise OicError(f"mount point {at}: expected a directory in the tree, found a symbolic link")
        place = os.path.realpath(root / at[1:])
        try:
            (root / place[1:]).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OicError(f"mount point {at}: expected a directory in the tree: {error.strerror}") from None
        if place in found.values():
            raise OicError(f"mount point {at}: by way of a symbolic link it is another one, {place}")
        found[at] = place
    return found


@contextlib.contextmanager
def mounted_view(root: Path, at: str, mount_points: Sequence[str], place: Path) -> Iterator[Path]:
    """Show what belongs on one partition: the tree from its mount point on, other mount points below it empty.

    A partition that is mounted nowhere has nothing. Mount points are paths without links: outside the tree, where this
    runs, a link would lead into the host.
    """
    place.mkdir(parents=True, exist_ok=True)
    if not at:
        syscalls.mount("tmpfs", str(place), "tmpfs", options="mode=755")
    else:
        syscalls.mount(str(root / at.strip("/")), str(place), flags=syscalls.MS_BIND)
    try:
        for other in mount_points if at else ():
            if other != at and (other + "/").startswith(at.rstrip("/") + "/"):
                _hide(place / other[len(at) :].strip("/"))
        yield place
    finally:
        syscalls.unmount(str(place), syscalls.MNT_DETACH)


def _hide(inside: Path) -> None:
    if inside.is_dir():  # else it is below another one that is hidden already
        mode = inside.stat().st_mode & 0o7777
        syscalls.mount("tmpfs", str(inside), "tmpfs", options=f"mode={mode:o}")
