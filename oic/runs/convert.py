"""Runs the stage `oic.stages.convert`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from oic.chroot import layers, namespace, sandbox, toolbox
from oic.files import digest_of_file
from oic.handover.disk import BootFiles, Converted, Product, RawDisk
from oic.handover.tree import BuildEnvironment
from oic.image.compression import compress
from oic.image.formats import convert
from oic.runs.disk import images_of, part_uuids_of, write_disk
from oic.stages.convert import KIND, Conversion, Slice
from oic.values import Digest, digest_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from oic.image.disk.written import WrittenPartition
    from oic.stage import Stage


MADE = "made"


def run(stage: Stage[Slice]) -> str:
    """Make what is not there already of the same disk."""
    work = stage.path("work")
    work.mkdir(exist_ok=True)
    environment = stage.read(BuildEnvironment).layer
    old, parts = _written(stage), _parts(stage)
    with toolbox.workspace(work / "convert") as place:
        raw, disk, partitions = _disk(stage, place, old if old and old.parts == parts else None)
        wanted = {
            entry: digest_of([disk, entry, environment.digest, KIND.version]) for entry in stage.slice.conversions
        }
        kept = _kept(stage, old, wanted)
        if missing := [entry for entry in wanted if entry not in kept]:
            raw = raw or _disk(stage, place, None)[0]
            chroot = layers.read(stage.cache / environment.place).tree
            (place / MADE).mkdir()
            writes = [work, stage.create_log()]
            namespace.call(_make, missing, raw, chroot, place, stage.log, writes=writes)
        for entry in missing:
            (place / MADE / entry.file).replace(stage.path(entry.file))
            kept[entry] = product_of(stage, entry)
    products = tuple(kept[entry] for entry in wanted)
    stage.write(
        Converted(products=products, made_of=tuple(wanted.values()), partitions=partitions, parts=parts, disk=disk)
    )
    return ", ".join(f"{entry.file} {kept[entry].file.size >> 20} MiB" for entry in wanted)


def _parts(stage: Stage[Slice]) -> Digest:
    """Return a digest of what a disk is put together from; empty where there is a raw file."""
    if stage.slice.layout is None:
        return Digest("")
    placed = stage.slice.by_content or stage.slice.layout
    return digest_of([placed, images_of(stage), part_uuids_of(stage), stage.read(BootFiles).pieces, KIND.version])


def _disk(
    stage: Stage[Slice], place: Path, old: Converted | None
) -> tuple[Path | None, Digest, tuple[WrittenPartition, ...]]:
    """Return the raw disk, its digest and its partitions: the disk stage's, or one that is removed afterwards.

    Of one that was put together before from the same parts, `old`, only what it came to is returned.
    """
    if stage.slice.layout is None:
        made = stage.read(RawDisk)
        return stage.cache / made.raw.file.path, made.raw.file.sha256, made.partitions
    if old:
        return None, old.disk, old.partitions
    path = place / "disk.raw"
    written = write_disk(stage, stage.slice.by_content or stage.slice.layout, path)
    return path, written.sha256, written.partitions


def _written(stage: Stage[Slice]) -> Converted | None:
    """Return what an earlier run wrote; None if there was none, or if it is damaged."""
    try:
        old = next(iter(stage.written()))
    except (StopIteration, ValueError):
        return None
    assert isinstance(old, Converted)
    return old


def _kept(stage: Stage[Slice], old: Converted | None, wanted: dict[Conversion, Digest]) -> dict[Conversion, Product]:
    """Return what an earlier run made of the same, where the file is as it was written; remove the rest."""
    if old is None:
        return {}
    known = dict(zip(old.made_of, old.products, strict=True))
    found = {}
    for entry, digest in wanted.items():
        path = stage.path(entry.file)
        if digest in known and path.exists() and digest_of_file(path) == known[digest].file.sha256:
            found[entry] = known[digest]
    names = {stage.artefact(stage.path(entry.file)) for entry in wanted}
    for product in old.products:
        if product.file.path not in names:
            (stage.cache / product.file.path).unlink(missing_ok=True)
    return found


def _make(wanted: Sequence[Conversion], raw: Path, chroot: Path, place: Path, log: Path) -> None:
    """Convert once to each format, and compress that as often as is asked."""
    with (
        toolbox.workspace(place / "tools") as tools_work,
        toolbox.opened(chroot, tools_work, log, visible=[place], files={raw.name: raw}) as tools,
    ):
        raw_seen = Path(sandbox.FILES) / raw.name
        for form in dict.fromkeys(entry.format for entry in wanted):
            of_form = [entry for entry in wanted if entry.format == form]
            plain, seen = raw, raw_seen
            if form != "raw":
                plain = seen = place / of_form[0].plain_name
                convert(raw_seen, plain, form, of_form[0].uuid, tools)
            for entry in (entry for entry in of_form if entry.compression):
                with toolbox.workspace(place / "pieces") as pieces:
                    compress(plain, place / MADE / entry.file, entry.compression, pieces, tools, seen=seen)
            if form != "raw" and (uncompressed := [entry for entry in of_form if not entry.compression]):
                plain.replace(place / MADE / uncompressed[0].file)


def product_of(stage: Stage[Any], entry: Conversion) -> Product:
    """Return the record of a file that lies in its place."""
    file = stage.artefact_of(stage.path(entry.file))
    return Product(format=entry.format, compression=entry.compression, file=file)
