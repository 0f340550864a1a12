"""The two builds, each with its own cache and its own clock, from packages that are already verified."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from oic.chroot import clock, layers, namespace, overlay, sandbox, toolbox
from oic.errors import ToolError
from oic.files import write_text
from oic.handover.tree import Layered
from oic.reproduce.content import Span
from oic.tasks.stage_tasks import perform

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from oic.chroot.clock import Clock
    from oic.stage import Stage

DAY = 86400
_TOLERANCE = 600
"""By how many seconds the shift of the clock may differ from a day, because the build takes time."""


@dataclass(slots=True, kw_only=True)
class Build:
    """A build: its cache, the clock of its programs, and its start and end by the host's clock."""

    cache: Path
    clock: Clock | None
    start: float = 0.0
    end: float = 0.0

    @property
    def span(self) -> Span:
        """Return its start and end by the clock of its programs."""
        ahead = self.clock.ahead if self.clock else 0
        return Span(start=self.start + ahead, end=self.end + ahead)

    def prepare(self, stages: Sequence[Stage[Any]]) -> None:
        """Create the cache, with a link to the image's store and copies of the hand-overs up to `verify`."""
        self.cache.mkdir(mode=0o700, parents=True)
        (self.cache / "store").symlink_to(stages[0].cache / "store")
        for stage in stages:
            for own, theirs in zip(self.own(stage).outputs, stage.outputs, strict=True):
                write_text(own, theirs.read_text(encoding="utf-8"))

    def own(self, stage: Stage[Any]) -> Stage[Any]:
        """Return a stage of the image with the cache of this build."""
        return replace(stage, cache=self.cache)

    def run(self, stages: Sequence[Stage[Any]]) -> None:
        """Run stages one after the other; raises OicError or OSError."""
        self.start = self.start or time.time()
        with clock.used(self.clock):
            for stage in stages:
                perform(self.own(stage))
        self.end = time.time()

    def trees(self, stage: Stage[Any]) -> list[Path]:
        """Return the layers in the hand-overs of a stage, lowest first."""
        named = [
            layer
            for handover in self.own(stage).written()
            if isinstance(handover, Layered)
            for layer in handover.layers
        ]
        return [layers.read(self.cache / layer.place).tree for layer in named]


def has_shifted_clock(build: Build, tree: Stage[Any]) -> bool:
    """Tell whether programs of the finished tree use the shifted clock: the library may not work with them."""
    work = build.own(tree).path("work")
    work.mkdir(exist_ok=True)
    with clock.used(build.clock):
        output = namespace.call(_date, build.trees(tree), work / "clock", writes=[work])
    return output.isdigit() and abs(int(output) - time.time() - DAY) < _TOLERANCE


def _date(trees: Sequence[Path], work: Path) -> str:
    with toolbox.workspace(work):
        upper = work / "upper"
        upper.mkdir()
        with (
            overlay.merged(trees, work / "root", upper=upper, work=work / "work") as root,
            sandbox.opened(root, work / "log") as box,
        ):
            try:
                return box.run(["date", "+%s"]).text.strip()
            except ToolError:  # the tree has no such program
                return ""
