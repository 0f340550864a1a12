"""disk: the raw disk image, made of the partition table and the images of partitions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from oic.handover.disk import BootFiles, FileSystems, Product, RawDisk
from oic.handover.tree import Artefact
from oic.image.disk.content import ByContent
from oic.image.disk.placed import Layout  # noqa: TC001 - a field of the slice
from oic.image.disk.raw import write_raw
from oic.stage import Kind
from oic.values import Value

if TYPE_CHECKING:
    from pathlib import Path

    from oic.image.disk.written import WrittenDisk
    from oic.stage import Stage


class Slice(Value):
    """The layout of the disk, and the name of the file; `by_content` is where the layout waits for sizes."""

    layout: Layout
    file: str
    by_content: ByContent | None = None


def run(stage: Stage[Slice]) -> str:
    """Write the raw disk."""
    path = stage.path(stage.slice.file)
    written = write_disk(stage, stage.slice.by_content or stage.slice.layout, path)
    raw = Artefact(path=stage.artefact(path), sha256=written.sha256, size=written.size)
    products = (Product(format="raw", compression="", file=raw),)
    stage.write(RawDisk(products=products, partitions=written.partitions))
    return f"{path.name}, {written.size >> 20} MiB"


def write_disk(stage: Stage[Any], disk: Layout | ByContent, path: Path) -> WrittenDisk:
    """Write the disk that file systems and boot loader come to, for a stage that reads both; raises OicError."""
    boot = stage.read(BootFiles)
    images = {image.id: stage.cache / image.path for image in (*stage.read(FileSystems).images, *boot.images)}
    pieces = {int(piece.offset): stage.cache / piece.file.path for piece in boot.pieces}
    sizes = {image.id: image.size for image in (*stage.read(FileSystems).images, *boot.images)}
    layout = disk.placed(sizes) if isinstance(disk, ByContent) else disk
    return write_raw(path, layout, images, pieces)


KIND = Kind(
    name="disk",
    version=5,
    doc="write the disk: partition table and partitions",
    reads=(FileSystems, BootFiles),
    writes=(RawDisk,),
    run=run,
)
