"""Runs the stage `oic.stages.disk`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from oic.handover.disk import BootFiles, FileSystems, PartitionImage, Product, RawDisk, SignedFiles, VerifiedRoot
from oic.handover.tree import Artefact
from oic.image.disk.content import ByContent
from oic.image.disk.raw import write_raw

if TYPE_CHECKING:
    from pathlib import Path

    from oic.image.disk.placed import Layout
    from oic.image.disk.written import WrittenDisk
    from oic.stage import Stage
    from oic.stages.disk import Slice


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
    written = images_of(stage)
    images = {image.id: stage.cache / image.path for image in written}
    pieces = {int(piece.offset): stage.cache / piece.file.path for piece in stage.read(BootFiles).pieces}
    layout = disk.placed({image.id: image.size for image in written}) if isinstance(disk, ByContent) else disk
    return write_raw(path, layout.with_part_uuids(part_uuids_of(stage)), images, pieces)


def images_of(stage: Stage[Any]) -> tuple[PartitionImage, ...]:
    """Return the images of all partitions that have one."""
    verified = stage.read(VerifiedRoot).images if VerifiedRoot in stage.reads else ()
    signed = stage.read(SignedFiles).images if SignedFiles in stage.reads else ()
    return (*verified, *stage.read(FileSystems).images, *stage.read(BootFiles).images, *signed)


def part_uuids_of(stage: Stage[Any]) -> dict[str, str]:
    """Return the PARTUUIDs that depend on what is on the partitions, by the ids of these."""
    return stage.read(VerifiedRoot).part_uuids if VerifiedRoot in stage.reads else {}
