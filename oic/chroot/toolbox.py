"""A sandbox with the image tools of the build environment; it implements `oic.image.tools.Tools`.

The directories that a tool works on appear inside under the same paths. What a tool writes elsewhere is discarded.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from typing import TYPE_CHECKING

from oic.chroot import overlay, sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from oic.chroot.sandbox import Sandbox


MAX_IMAGE_BYTES = 1 << 60
"""The size limit of a file that an image tool writes, which may be a whole disk."""


@contextlib.contextmanager
def opened(  # noqa: PLR0913 - a root and everything mounted in it
    chroot: Path,
    work: Path,
    log: Path,
    *,
    visible: Sequence[Path] = (),
    files: Mapping[str, Path] | None = None,
    max_file_bytes: int = MAX_IMAGE_BYTES,
) -> Iterator[Sandbox]:
    """Open a sandbox with the tools of the layer `chroot`, in a namespace; `work` is a directory for temporary files.

    `visible`, `files` and `max_file_bytes` are as in `oic.chroot.sandbox.opened`.
    """
    upper = work / "tools-upper"
    upper.mkdir(parents=True)
    with (
        overlay.merged([chroot], work / "tools", upper=upper, work=work / "tools-work") as root,
        sandbox.opened(root, log, visible=visible, files=files, max_file_bytes=max_file_bytes) as box,
    ):
        yield box


@contextlib.contextmanager
def merged(trees: Sequence[Path], chroot: Path, place: Path, log: Path) -> Iterator[tuple[Path, Path, Sandbox]]:
    """Merge the layers of a tree; yield its directory, an empty one for results, and tools that see both.

    It is used in a namespace, and so is what it leaves at `place` when the build is killed: its owners are of there.
    """
    with workspace(place):
        out = place / "out"
        for directory in (out, place / "upper"):
            directory.mkdir()
        with (
            overlay.merged(trees, place / "root", upper=place / "upper", work=place / "work") as root,
            workspace(place / "tools") as tools_work,
            opened(chroot, tools_work, log, visible=[root, out]) as tools,
        ):
            yield root, out, tools


@contextlib.contextmanager
def workspace(place: Path) -> Iterator[Path]:
    """Yield an empty directory, removing what a killed build left there; remove it afterwards.

    When the body fails, its error is raised even if the directory cannot be removed because a program still writes to
    it; the next build removes it.
    """
    if place.exists():
        shutil.rmtree(place)
    place.mkdir(parents=True)
    try:
        yield place
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise
    shutil.rmtree(place)


@contextlib.contextmanager
def temporary_files_in(place: Path) -> Iterator[None]:
    """Put temporary files, such as gpg's home, where the next build removes them if this one is killed."""
    with workspace(place):
        tempfile.tempdir = str(place)
        try:
            yield
        finally:
            tempfile.tempdir = None
