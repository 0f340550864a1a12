"""Runs the stage `oic.stages.payload`."""

from __future__ import annotations

import hashlib
import shutil
from typing import TYPE_CHECKING

from oic.chroot import layers, namespace, toolbox
from oic.files import atomic_file, open_output, write_json
from oic.handover.disk import BootFiles, Payload
from oic.handover.tree import BootInputs, BuildEnvironment
from oic.image.boot.release import title_of
from oic.image.compression import compress_blocks
from oic.image.payload import (
    BLOCK,
    FORMAT,
    Block,
    PayloadImage,
    PayloadIndex,
    PayloadPartition,
    PayloadPiece,
    table_script,
)
from oic.progress import doing
from oic.runs.disk import images_of, part_uuids_of
from oic.stages.payload import Slice, Target
from oic.values import Bytes, Digest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from oic.image.disk.placed import Layout
    from oic.stage import Stage


_DIRECTORY = "payload"


def run(stage: Stage[Slice]) -> str:
    """Compress the images, and write their index."""
    part, boot = stage.slice, stage.read(BootFiles)
    written = images_of(stage)
    layout = part.disk.placed({image.id: image.size for image in written}).with_part_uuids(part_uuids_of(stage))
    images = {f"{image.id}.zst": stage.cache / image.path for image in written}
    pieces = {f"code-{piece.offset}.zst": stage.cache / piece.file.path for piece in boot.pieces}
    chroot = layers.read(stage.cache / stage.read(BuildEnvironment).layer.place).tree
    place, work = stage.path(_DIRECTORY), stage.path("work")
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    work.mkdir(exist_ok=True)
    made = namespace.call(
        _make,
        {**images, **pieces},
        chroot,
        place,
        work / _DIRECTORY,
        stage.log,
        writes=[place, work, stage.create_log()],
    )
    index = PayloadIndex(
        format=FORMAT,
        image=part.image.name,
        version=part.image.version,
        system=title_of(stage.read(BootInputs).os_release),
        firmware=part.firmware,
        least=layout.size,
        table=table_script(layout, part.grows),
        partitions=_partitions(part, layout, made),
        pieces=tuple(PayloadPiece(offset=piece.offset, image=f"code-{piece.offset}.zst") for piece in boot.pieces),
        images=made,
        disk=part.choice,
        state=part.state,
    )
    write_json(place / "payload.json", index)
    stage.write(
        Payload(
            index=stage.artefact_of(place / "payload.json"),
            images=tuple(stage.artefact_of(place / name) for name in made),
        )
    )
    stored = sum(image.stored for image in made.values())
    return f"{len(made)} images, {stored >> 20} MiB, for a disk of {layout.size >> 20} MiB at least"


def _partitions(part: Slice, layout: Layout, made: Mapping[str, PayloadImage]) -> tuple[PayloadPartition, ...]:
    targets = {target.id: target for target in part.targets}
    nothing = Target(id="", type="", at="", boots=True)  # a partition that was added for GRUB's core image
    return tuple(
        PayloadPartition(
            id=entry.id,
            number=entry.index,
            start=entry.offset,
            size=entry.size,
            type=(target := targets.get(entry.id, nothing)).type,
            at=target.at,
            grows=entry.id == part.grows,
            boots=target.boots,
            image=f"{entry.id}.zst" if f"{entry.id}.zst" in made else "",
        )
        for entry in layout.partitions
    )


def _make(sources: Mapping[str, Path], chroot: Path, place: Path, work: Path, log: Path) -> dict[str, PayloadImage]:
    """Compress each file; runs in a namespace."""
    made = {}
    places = sorted({source.parent for source in sources.values()})
    with (
        toolbox.workspace(work),
        toolbox.workspace(work / "tools") as tools_work,
        toolbox.opened(chroot, tools_work, log, visible=[*places, work]) as tools,
    ):
        for name, source in sources.items():
            doing(f"compressing {name.removesuffix('.zst')}")
            with toolbox.workspace(work / "blocks") as blocks:
                made[name] = _joined(source, compress_blocks(source, "zstd", BLOCK, blocks, tools), place / name)
    return made


def _joined(source: Path, streams: Mapping[int, Path], target: Path) -> PayloadImage:
    """Write the streams one after another; return what is to know of them."""
    blocks, begin = [], 0
    with source.open("rb") as plain, atomic_file(target) as temporary, temporary.open("r+b") as whole:
        size = plain.seek(0, 2)
        for at, path in streams.items():
            plain.seek(at)
            content = plain.read(BLOCK)
            with open_output(path) as stream:
                frame = stream.read()
            whole.write(frame)
            blocks.append(
                Block(
                    at=Bytes(at),
                    size=Bytes(len(content)),
                    begin=Bytes(begin),
                    length=Bytes(len(frame)),
                    sha256=Digest(hashlib.sha256(content).hexdigest()),
                    stored=Digest(hashlib.sha256(frame).hexdigest()),
                )
            )
            begin += len(frame)
    return PayloadImage(size=Bytes(size), stored=Bytes(begin), blocks=tuple(blocks))
