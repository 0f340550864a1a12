"""Runs the stage `oic.stages.img`."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from oic.chroot import layers, namespace, toolbox
from oic.files import atomic_file
from oic.handover.disk import MediumSystem, Packed, Product
from oic.handover.tree import BootInputs, BuildEnvironment, ConfiguredTree
from oic.image.cpio import make_initramfs

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from oic.stage import Stage
    from oic.stages.img import Slice


def run(stage: Stage[Slice]) -> str:
    """Pack the tree, and copy its newest kernel."""
    part, tree, inputs = stage.slice, stage.read(ConfiguredTree), stage.read(BootInputs)
    trees = [layers.read(stage.cache / layer.place).tree for layer in tree.layers]
    chroot = layers.read(stage.cache / stage.read(BuildEnvironment).layer.place).tree
    kernel, target, work = inputs.kernels[0], stage.path(part.initramfs), stage.path("work")
    work.mkdir(exist_ok=True)
    made = namespace.call(_make, trees, part.excluded, chroot, work, stage.log, writes=[work, stage.create_log()])
    made.replace(target)
    with atomic_file(stage.path(part.kernel)) as temporary:
        shutil.copyfile(stage.cache / kernel.file.path, temporary)
    files = (stage.artefact_of(target), stage.artefact_of(stage.path(part.kernel)))
    if Packed in stage.kind.writes:
        forms = zip(("img", "kernel"), files, strict=True)
        stage.write(Packed(products=tuple(Product(format=form, compression="", file=file) for form, file in forms)))
    else:
        stage.write(MediumSystem(initramfs=files[0], kernel=files[1], version=kernel.version))
    return f"{part.initramfs} {files[0].size >> 20} MiB, kernel {kernel.version}"


def _make(trees: Sequence[Path], excluded: Sequence[str], chroot: Path, work: Path, log: Path) -> Path:
    """Return the initramfs, in the directory `work`; runs in a namespace."""
    made = work / "initramfs.img"
    with toolbox.merged(trees, chroot, work / "img", log) as (root, out, tools):
        make_initramfs(root, out / made.name, excluded, tools)
        (out / made.name).replace(made)
    return made
