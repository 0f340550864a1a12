"""Runs the stage `oic.stages.fs`."""

from __future__ import annotations

import contextlib
import shutil
from typing import TYPE_CHECKING

from oic.chroot import layers, namespace, overlay, toolbox
from oic.errors import OicError
from oic.files import digest_of_sparse
from oic.handover.disk import BootFiles, FileSystems, PartitionImage, SignedFiles, VerifiedRoot
from oic.handover.tree import BuildEnvironment, ConfiguredTree
from oic.image.disk.content import ByContent, is_by_content
from oic.image.fs import file_system, largest, room
from oic.image.fs.making import make
from oic.image.fs.spec import DoesNotFitError, FileSystemSpec
from oic.image.fs.survey import survey_tree
from oic.image.tree import views
from oic.process import child
from oic.progress import doing
from oic.provider import provider_of
from oic.values import Bytes, Value

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from oic.image.tools import Tools
    from oic.stage import Stage
    from oic.stages.fs import Partition, Slice


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
    others = [*stage.read(BootFiles).images] if part.by_content and BootFiles in stage.reads else []
    others += stage.read(VerifiedRoot).images if VerifiedRoot in stage.reads else ()
    others += stage.read(SignedFiles).images if SignedFiles in stage.reads else ()
    known = {image.id: image.size for image in others}
    making = Making(part=part, images=images, known=known, epoch=tree.epoch, log=stage.log)
    sizes = namespace.call(making.create, trees, chroot, work / "fs", writes=writes)
    written = [
        PartitionImage(id=name, path=stage.artefact(path), size=sizes[name], digest=digest_of_sparse(path))
        for name, path in images.items()
    ]
    stage.write(FileSystems(images=tuple(written)))
    made = ", ".join(f"{entry.id} {entry.type} {sizes[entry.id] >> 20} MiB" for entry in part.partitions)
    return made or "none beside the root"


class Making(Value):
    """The file systems of a stage, made in a namespace: `known` are the sizes of partitions that another stage made."""

    part: Slice
    images: Mapping[str, Path]
    known: Mapping[str, Bytes]
    epoch: int
    log: Path

    def create(self, trees: Sequence[Path], chroot: Path, work: Path) -> dict[str, Bytes]:
        """Create the images; return the size of each partition. Raises OicError where something does not fit."""
        with (
            toolbox.workspace(work),
            overlay.merged(trees, work / "root", upper=_create_directory(work / "upper"), work=work / "work") as root,
        ):
            places = child.inside(root, views.places, self.part.mount_points)
            sizes = {entry.id: entry.size for entry in self.part.partitions if entry.size is not None}
            made: set[str] = set()
            if self.part.by_content:
                waiting = [entry for entry in self.part.partitions if is_waiting(entry, self.part.by_content)]
                own = {}
                for entry in waiting:
                    with self._opened(entry, root, places, chroot, work) as (view, tools):
                        own[entry.id] = self._room(entry, view, tools)
                made = {entry.id for entry in waiting if entry.type in room.PACKED}
                placed = self.part.by_content.placed({**self.known, **own})
                sizes = {entry.id: entry.size for entry in placed.partitions}
            for entry in self.part.partitions:
                if entry.id not in made:
                    with self._opened(entry, root, places, chroot, work) as (view, tools):
                        if entry.is_tight:
                            sizes[entry.id] = self._make_tight(entry, view, root, tools)
                        else:
                            self._make(entry, view, sizes[entry.id], root, tools)
        return sizes

    @contextlib.contextmanager
    def _opened(
        self, entry: Partition, root: Path, places: Mapping[str, str], chroot: Path, work: Path
    ) -> Iterator[tuple[Path, Tools]]:
        """Mount what goes on a partition; yield its directory, and the tools."""
        with (
            toolbox.workspace(work / f"tools-{entry.id}") as tools_work,
            views.mounted_view(root, places.get(entry.at, ""), sorted(places.values()), work / "view") as view,
            toolbox.opened(chroot, tools_work, self.log, visible=[view, self.images[entry.id].parent]) as tools,
        ):
            yield view, tools

    def _room(self, entry: Partition, view: Path, tools: Tools) -> Bytes:
        """Return the size of a partition by its content, of which some file systems are made at once."""
        kind = file_system(entry.type)
        if entry.type not in room.PACKED:
            return room.room_for(entry.type, survey_tree(view), kind.least)
        doing(f"{entry.type} of {entry.id}")
        make(self._spec(entry, view, kind.most), tools)
        return room.whole_mib(self.images[entry.id].lstat().st_size)

    def _make_tight(self, entry: Partition, view: Path, root: Path, tools: Tools) -> Bytes:
        """Make a file system that is as small as its content, in no more than its partition; return the size of that.

        The room that content takes is estimated: where that was too little, the file system fills its partition.
        """
        kind = file_system(entry.type)
        most = entry.size or kind.most
        if entry.type in room.PACKED:
            self._make(entry, view, most, root, tools)
        else:
            estimate = min(most, room.room_for(entry.type, survey_tree(view), kind.least))
            try:
                self._make(entry, view, estimate, root, tools)
            except OicError:
                if estimate == most:
                    raise
                self._make(entry, view, most, root, tools)
        return entry.size or room.whole_mib(self.images[entry.id].lstat().st_size)

    def _make(self, entry: Partition, view: Path, size: Bytes, root: Path, tools: Tools) -> None:
        doing(f"{entry.type} of {entry.id}")
        try:
            make(self._spec(entry, view, size), tools)
        except DoesNotFitError as error:
            provider = provider_of(self.part.provider)
            packages = largest.packages(root, provider, self.log) if entry.at else []
            raise error.told(largest.directories(view, entry.at), packages) from error

    def _spec(self, entry: Partition, view: Path, size: Bytes) -> FileSystemSpec:
        return FileSystemSpec(
            type=entry.type,
            view=view,
            at=entry.at,
            image=self.images[entry.id],
            size=size,
            uuid=entry.uuid,
            label=entry.label,
            epoch=self.epoch,
        )


def is_waiting(entry: Partition, disk: ByContent) -> bool:
    """Tell whether a partition is as large as its content wants."""
    return any(is_by_content(one, disk.disk) for one in disk.disk.partitions if one.id == entry.id)


def _create_directory(directory: Path) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    return directory
