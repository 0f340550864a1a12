"""Runs the stage `oic.stages.archive`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oic.chroot import layers, namespace, toolbox
from oic.handover.disk import Archive
from oic.handover.tree import BuildEnvironment, ConfiguredTree
from oic.image.compression import compress
from oic.image.tarball import make_tar
from oic.runs.convert import product_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from oic.stage import Stage
    from oic.stages.archive import Slice
    from oic.stages.convert import Conversion


def run(stage: Stage[Slice]) -> str:
    """Make the archives."""
    wanted = stage.slice.archives
    tree = stage.read(ConfiguredTree)
    trees = [layers.read(stage.cache / layer.place).tree for layer in tree.layers]
    chroot = layers.read(stage.cache / stage.read(BuildEnvironment).layer.place).tree
    work = stage.path("work")
    work.mkdir(exist_ok=True)
    writes = [work, stage.create_log()]
    namespace.call(_make, wanted, trees, tree.epoch, chroot, work, stage.log, writes=writes)
    for entry in wanted:
        (work / entry.file).replace(stage.path(entry.file))
    products = tuple(product_of(stage, entry) for entry in wanted)
    stage.write(Archive(products=products))
    return ", ".join(
        f"{entry.file} {product.file.size >> 20} MiB" for entry, product in zip(wanted, products, strict=True)
    )


def _make(  # noqa: PLR0913 - runs in a namespace: all it knows is said here
    wanted: Sequence[Conversion], trees: Sequence[Path], epoch: int, chroot: Path, work: Path, log: Path
) -> None:
    """Put the archives into the directory `work`."""
    with toolbox.merged(trees, chroot, work / "archive", log) as (root, out, tools):
        plain = out / wanted[0].plain_name
        make_tar(root, plain, epoch, tools)
        for entry in wanted:
            if entry.compression:
                with toolbox.workspace(out / "pieces") as pieces:
                    compress(plain, out / entry.file, entry.compression, pieces, tools, seen=plain)
        for entry in wanted:
            (out / entry.file).replace(work / entry.file)
