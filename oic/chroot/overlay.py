"""Mounts layers as one tree with overlayfs (Documentation/filesystems/overlayfs.rst), in a private namespace.

* Layers are never written. Changes go to an upper directory, whose whiteouts and opaque marks are ``user.`` attributes,
  which an ordinary user can set.
* sync(2) and fsync(2) do nothing (``volatile``): dpkg calls them thousands of times, and the result of a crashed build
  is discarded anyway.
* The upper directory of one overlay becomes a layer of the next one.
"""

from __future__ import annotations

import contextlib
import errno
import shutil
from typing import TYPE_CHECKING

from oic.errors import OicError
from oic.process import syscalls

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


@contextlib.contextmanager
def merged(layers: Sequence[Path], at: Path, *, upper: Path | None = None, work: Path | None = None) -> Iterator[Path]:
    """Mount `layers`, lowest first, at `at`; writable if `upper` is given, with an empty directory `work` beside it."""
    at.mkdir(parents=True, exist_ok=True)
    _mount_layers(layers, at, upper, work)
    try:
        yield at
    finally:
        syscalls.unmount(str(at), syscalls.MNT_DETACH)


def remount_empty(layers: Sequence[Path], at: Path, *, upper: Path, work: Path) -> None:
    """Unmount the overlay that `merged` mounted at `at`, empty `upper`, and mount it again with a new `work`.

    If files were removed through the mount instead, they would leave whiteouts in the layer.
    """
    syscalls.unmount(str(at), syscalls.MNT_DETACH)
    shutil.rmtree(upper)
    upper.mkdir()
    upper.chmod(0o755)
    _mount_layers(layers, at, upper, work)


def _mount_layers(layers: Sequence[Path], at: Path, upper: Path | None, work: Path | None) -> None:
    if upper is None and len(layers) == 1:
        syscalls.mount(str(layers[0]), str(at), flags=syscalls.MS_BIND)
    elif not layers and upper is not None:
        syscalls.mount(str(upper), str(at), flags=syscalls.MS_BIND)
    else:
        options = "userxattr,lowerdir=" + ":".join(_escaped(path) for path in reversed(layers))
        if upper is not None and work is not None:
            work.mkdir(parents=True, exist_ok=True)
            options += f",volatile,upperdir={_escaped(upper)},workdir={_escaped(work)}"
        _mount(str(at), options)


def _mount(at: str, options: str) -> None:
    try:
        syscalls.mount("overlay", at, "overlay", 0, options)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.EINVAL, errno.ENODEV):
            raise
        hint = "Linux 5.11 or newer is needed, and a cache on a local file system such as ext4, xfs or btrfs"
        message = f"cannot mount an overlay file system here: {error.strerror}"
        raise OicError(message, where=at, hint=hint) from error


def _escaped(path: Path) -> str:
    return str(path).replace("\\", "\\\\").replace(":", "\\:").replace(",", "\\,")
