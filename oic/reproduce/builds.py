"""The two builds: each in a cache of its own, of packages that are verified already, by a clock of its own."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from oic.chroot import clock, layers, namespace, overlay, sandbox, toolbox
from oic.errors import ToolError
from oic.files import write_text
from oic.handover.tree import BuildEnvironment, ConfiguredTree, InstalledTree
from oic.reproduce.content import Span
from oic.tasks.stage_tasks import perform

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from oic.chroot.clock import Clock
    from oic.stage import Stage

DAY = 86400
_SLACK = 600
"""Seconds of a day by which a clock may miss it: the build took them."""


@dataclass(slots=True, kw_only=True)
class Build:
    """One of the two: its cache, the clock of its programs, and when it ran, in seconds of the host's clock."""

    cache: Path
    clock: Clock | None
    start: float = 0.0
    end: float = 0.0

    @property
    def span(self) -> Span:
        """From when to when it ran, by the clock its programs saw."""
        ahead = self.clock.ahead if self.clock else 0
        return Span(start=self.start + ahead, end=self.end + ahead)

    def prepare(self, stages: Sequence[Stage[Any]]) -> None:
        """Make the cache: the store of the image's own, and the hand-overs of the stages up to `verify`."""
        self.cache.mkdir(mode=0o700, parents=True)
        (self.cache / "store").symlink_to(stages[0].cache / "store")
        for stage in stages:
            for own, theirs in zip(self.own(stage).outputs, stage.outputs, strict=True):
                write_text(own, theirs.read_text(encoding="utf-8"))

    def own(self, stage: Stage[Any]) -> Stage[Any]:
        """Return a stage of the image as this build's."""
        return replace(stage, cache=self.cache)

    def run(self, stages: Sequence[Stage[Any]]) -> None:
        """Run stages, one after the other; raises OicError or OSError."""
        self.start = self.start or time.time()
        with clock.used(self.clock):
            for stage in stages:
                perform(self.own(stage))
        self.end = time.time()

    def trees(self, stage: Stage[Any]) -> list[Path]:
        """Return the layers that a stage hands over, lowest first."""
        named = [
            layer
            for handed in self.own(stage).written()
            if isinstance(handed, BuildEnvironment | InstalledTree | ConfiguredTree)
            for layer in ([handed.layer] if isinstance(handed, BuildEnvironment) else handed.layers)
        ]
        return [layers.read(self.cache / layer.place).tree for layer in named]


def saw_another_day(build: Build, tree: Stage[Any]) -> bool:
    """Tell whether a program of the finished tree has the clock that the build gave it: a library may not fit."""
    work = build.own(tree).path("work")
    work.mkdir(exist_ok=True)
    with clock.used(build.clock):
        said = namespace.call(_date, build.trees(tree), work / "clock", writes=[work])
    return said.isdigit() and abs(int(said) - time.time() - DAY) < _SLACK


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
            except ToolError:  # no such program in the tree
                return ""
