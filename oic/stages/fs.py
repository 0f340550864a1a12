"""fs: a file system image for each partition that has content, from the merged tree."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from oic.chroot import layers, namespace, overlay, toolbox
from oic.files import digest_of_sparse
from oic.handover.disk import BootFiles, FileSystems, PartitionImage
from oic.handover.tree import BuildEnvironment, ConfiguredTree
from oic.image.fs import FileSystemSpec, file_system
from oic.image.tree import views
from oic.process import child
from oic.progress import doing
from oic.stage import Kind
from oic.values import Bytes, Value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from oic.stage import Stage


class Partition(Value):
    """A partition with a file system, whose `type` is its name in recipes, mounted `at` a path or nowhere."""

    id: str
    type: str
    label: str
    at: str
    size: Bytes
    uuid: str


class Slice(Value):
    """The partitions with content of the tree; `mount_points` are those of all partitions."""

    partitions: tuple[Partition, ...]
    mount_points: tuple[str, ...]


def run(stage: Stage[Slice]) -> str:
    """Create the file systems."""
    part, tree = stage.slice, stage.read(ConfiguredTree)
    boot = stage.read(BootFiles).tree if BootFiles in stage.reads else None
    names = (*tree.layers, *([boot] if boot else []))
    trees = [layers.read(stage.cache / layer.place).tree for layer in names]
    chroot = layers.read(stage.cache / stage.read(BuildEnvironment).layer.place).tree
    place = stage.path("fs")
    if place.exists():  # images of former partitions, or files left by a killed build
        shutil.rmtree(place)
    place.mkdir(parents=True)
    images = {entry.id: place / f"{entry.id}.img" for entry in part.partitions}
    work = stage.path("work")
    work.mkdir(exist_ok=True)
    writes = [place, work, stage.create_log()]
    namespace.call(_create, part, trees, chroot, tree.epoch, images, work / "fs", stage.log, writes=writes)
    written = [
        PartitionImage(id=name, path=stage.artefact(path), digest=digest_of_sparse(path))
        for name, path in images.items()
    ]
    stage.write(FileSystems(images=tuple(written)))
    return ", ".join(f"{entry.id} {entry.type} {entry.size >> 20} MiB" for entry in part.partitions)


def _create(  # noqa: PLR0913 - runs in a namespace
    part: Slice,
    trees: Sequence[Path],
    chroot: Path,
    epoch: int,
    images: Mapping[str, Path],
    work: Path,
    log: Path,
) -> None:
    with (
        toolbox.workspace(work),
        overlay.merged(trees, work / "root", upper=_create_directory(work / "upper"), work=work / "work") as root,
    ):
        places = child.inside(root, views.places, part.mount_points)
        for entry in part.partitions:
            image, tools_work = images[entry.id], _create_directory(work / f"tools-{entry.id}")
            with (
                views.mounted_view(root, places.get(entry.at, ""), sorted(places.values()), work / "view") as view,
                toolbox.opened(chroot, tools_work, log, visible=[view, image.parent]) as tools,
            ):
                spec = FileSystemSpec(
                    type=entry.type,
                    view=view,
                    at=entry.at,
                    image=image,
                    size=entry.size,
                    uuid=entry.uuid,
                    label=entry.label,
                    epoch=epoch,
                )
                doing(f"{entry.type} of {entry.id}")
                file_system(entry.type).make(spec, tools)


def _create_directory(directory: Path) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    return directory


KIND = Kind(
    name="fs",
    version=5,
    doc="create the file systems",
    reads=(ConfiguredTree, BuildEnvironment),
    writes=(FileSystems,),
    run=run,
)
