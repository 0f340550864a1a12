"""Runs the stage `oic.stages.live`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oic.chroot import layers, namespace, toolbox
from oic.handover.disk import LiveTree
from oic.handover.tree import BuildEnvironment, ConfiguredTree
from oic.image.fs import file_system
from oic.image.fs.making import make
from oic.image.fs.spec import FileSystemSpec

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from oic.stage import Stage
    from oic.stages.live import Slice


_KIND = "squashfs"


def run(stage: Stage[Slice]) -> str:
    """Create the squashfs."""
    tree = stage.read(ConfiguredTree)
    trees = [layers.read(stage.cache / layer.place).tree for layer in tree.layers]
    chroot = layers.read(stage.cache / stage.read(BuildEnvironment).layer.place).tree
    work, target = stage.path("work"), stage.path(stage.slice.file)
    work.mkdir(exist_ok=True)
    made = namespace.call(_make, trees, tree.epoch, chroot, work, stage.log, writes=[work, stage.create_log()])
    made.replace(target)
    file = stage.artefact_of(target)
    stage.write(LiveTree(file=file))
    return f"{target.name}, {file.size >> 20} MiB"


def _make(trees: Sequence[Path], epoch: int, chroot: Path, work: Path, log: Path) -> Path:
    """Return the squashfs, in the directory `work`; runs in a namespace."""
    made, kind = work / "live.squashfs", file_system(_KIND)
    with toolbox.merged(trees, chroot, work / "live", log) as (root, out, tools):
        image = out / made.name
        make(
            FileSystemSpec(type=_KIND, view=root, at="/", image=image, size=kind.most, uuid="", label="", epoch=epoch),
            tools,
        )
        image.replace(made)
    return made
