"""The image tools of the build environment, behind the `oic.image.tools.Tools` protocol.

Directories a tool works on appear inside under their own paths. What a tool writes elsewhere is thrown away.
"""

from __future__ import annotations

import contextlib
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from oic.chroot import overlay, sandbox
from oic.image.tools import NO_ENV

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from oic.chroot.sandbox import Sandbox


@dataclass(frozen=True, slots=True)
class Toolbox:
    """Programs of the build environment."""

    box: Sandbox

    def run(self, argv: Sequence[str], *, stdin: str = "", env: Mapping[str, str] = NO_ENV) -> str:
        """Run a tool and return its standard output; raises ToolError."""
        return self.box.run(argv, stdin=stdin, env=env).text

    def file(self, path: str) -> Path:
        """Return where a file of the build environment is."""
        return self.box.root / path


@contextlib.contextmanager
def opened(chroot: Path, work: Path, log: Path, visible: Sequence[Path]) -> Iterator[Toolbox]:
    """Make the tools of the layer `chroot` ready, in a namespace; `work` is a directory of the caller's to use."""
    upper = work / "tools-upper"
    upper.mkdir(parents=True)
    with (
        overlay.merged([chroot], work / "tools", upper=upper, work=work / "tools-work") as root,
        sandbox.opened(root, log, visible=visible) as box,
    ):
        yield Toolbox(box)


@contextlib.contextmanager
def workspace(place: Path) -> Iterator[Path]:
    """Yield an empty directory, whatever a killed build left there; remove it afterwards."""
    if place.exists():
        shutil.rmtree(place)
    place.mkdir(parents=True)
    try:
        yield place
    finally:
        shutil.rmtree(place)
