"""The image tools of the build environment: a sandbox, which is what `oic.image.tools.Tools` asks for.

Directories a tool works on appear inside under their own paths. What a tool writes elsewhere is thrown away.
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
"""How long a file can get that an image tool makes: as long as a disk."""


@contextlib.contextmanager
def opened(  # noqa: PLR0913 - a root and all that is mounted in it
    chroot: Path,
    work: Path,
    log: Path,
    *,
    visible: Sequence[Path] = (),
    files: Mapping[str, Path] | None = None,
    max_file_bytes: int = MAX_IMAGE_BYTES,
) -> Iterator[Sandbox]:
    """Make the tools of the layer `chroot` ready, in a namespace; `work` is a directory of the caller's to use.

    `visible`, `files` and `max_file_bytes` as in `oic.chroot.sandbox.opened`.
    """
    upper = work / "tools-upper"
    upper.mkdir(parents=True)
    with (
        overlay.merged([chroot], work / "tools", upper=upper, work=work / "tools-work") as root,
        sandbox.opened(root, log, visible=visible, files=files, max_file_bytes=max_file_bytes) as box,
    ):
        yield box


@contextlib.contextmanager
def workspace(place: Path) -> Iterator[Path]:
    """Yield an empty directory, whatever a killed build left there; remove it afterwards.

    When the work in it fails or is stopped, that is what is said: a program that writes there to its last moment may
    leave something, which the next build removes.
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
    """Have temporary files, gpg's home for one, where the next build finds and removes them, should this be killed."""
    with workspace(place):
        tempfile.tempdir = str(place)
        try:
            yield
        finally:
            tempfile.tempdir = None
