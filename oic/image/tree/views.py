"""The part of a tree that goes on a partition: the tree below its mount point without other mount points.

* Mount points are resolved with the tree as the root, so that links cannot lead out of it. The paths that are mounted
  and read afterwards contain no links.
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
    """Return the path of each mount point with links resolved; create missing ones. Runs with the tree as its root."""
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
            raise OicError(f"mount point {at}: a symbolic link makes it the same as {place}")
        found[at] = place
    return found


@contextlib.contextmanager
def mounted_view(root: Path, at: str, mount_points: Sequence[str], place: Path) -> Iterator[Path]:
    """Mount the content of one partition at `place`: the tree below `at`, with other mount points empty.

    A partition without a mount point is empty. Mount points must contain no links: this runs outside the tree, where a
    link would lead into the host.
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
    if inside.is_dir():  # otherwise it is below a directory that is already hidden
        mode = inside.stat().st_mode & 0o7777
        syscalls.mount("tmpfs", str(inside), "tmpfs", options=f"mode={mode:o}")
