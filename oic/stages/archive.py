"""archive: the image's tree as a tar, compressed where the recipe says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oic.chroot import layers, namespace, overlay, toolbox
from oic.handover.disk import Archive
from oic.handover.tree import BuildEnvironment, ConfiguredTree
from oic.image.compression import compress
from oic.image.tarball import make_tar
from oic.stage import Kind
from oic.stages.convert import Conversion, product_of
from oic.values import Value

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from oic.stage import Stage


class Slice(Value):
    """The files to make: the same tar, not compressed or in several ways."""

    archives: tuple[Conversion, ...]


def run(stage: Stage[Slice]) -> str:
    """Make the archives."""
    wanted = stage.slice.archives
    tree = stage.read(ConfiguredTree)
    trees = [layers.read(stage.cache / layer.place).tree for layer in tree.layers]
    chroot = layers.read(stage.cache / stage.read(BuildEnvironment).layer.place).tree
    work = stage.path("work")
    work.mkdir(exist_ok=True)
    with toolbox.workspace(work / "archive") as place:
        namespace.call(_make, wanted, trees, tree.epoch, chroot, place, stage.log, writes=[work, stage.create_log()])
        for entry in wanted:
            (place / "out" / entry.file).replace(stage.path(entry.file))
    products = tuple(product_of(stage, entry) for entry in wanted)
    stage.write(Archive(products=products))
    return ", ".join(
        f"{entry.file} {product.file.size >> 20} MiB" for entry, product in zip(wanted, products, strict=True)
    )


def _make(  # noqa: PLR0913 - runs in a namespace: all it knows is said here
    wanted: Sequence[Conversion], trees: Sequence[Path], epoch: int, chroot: Path, place: Path, log: Path
) -> None:
    out = place / "out"
    for name in ("out", "upper"):
        (place / name).mkdir()
    plain = out / wanted[0].plain_name
    with (
        overlay.merged(trees, place / "root", upper=place / "upper", work=place / "work") as root,
        toolbox.workspace(place / "tools") as tools_work,
        toolbox.opened(chroot, tools_work, log, visible=[root, out]) as tools,
    ):
        make_tar(root, plain, epoch, tools)
        for entry in (entry for entry in wanted if entry.compression):
            with toolbox.workspace(out / "pieces") as pieces:
                compress(plain, out / entry.file, entry.compression, pieces, tools, seen=plain)


KIND = Kind(
    name="archive",
    version=1,
    doc="pack the image's tree",
    reads=(ConfiguredTree, BuildEnvironment),
    writes=(Archive,),
    run=run,
)
