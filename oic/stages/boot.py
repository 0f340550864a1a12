"""boot: the files that boot the image, by the recipe's boot method, and the EFI system partition with them."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from oic.chroot import layers, namespace, toolbox
from oic.config.architecture import ARCHITECTURES
from oic.files import digest_of_sparse
from oic.handover.disk import BootFiles, PartitionImage
from oic.handover.tree import BootInputs, BuildEnvironment, Initramfs
from oic.image.boot import Bootable, boot_method
from oic.image.boot.root import ByPartuuid  # noqa: TC001 - a field of the slice
from oic.image.fs.fat import make_fat
from oic.image.tree import esp as esp_files
from oic.stage import Kind
from oic.values import Bytes, Value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from oic.stage import Stage


class EspPartition(Value):
    """The EFI system partition."""

    id: str
    size: Bytes
    label: str
    volume_id: int


class Slice(Value):
    """The boot method, as the recipe names it, and its parameters; `name` is the image's name and version."""

    method: str
    architecture: str
    name: str
    command_line: str
    root: ByPartuuid
    esp: EspPartition


def run(stage: Stage[Slice]) -> str:
    """Create the image of the boot partition."""
    part, inputs, initramfs = stage.slice, stage.read(BootInputs), stage.read(Initramfs)
    chroot = layers.read(stage.cache / stage.read(BuildEnvironment).layer.place).tree
    bootable = Bootable(
        name=part.name,
        architecture=ARCHITECTURES[part.architecture],
        kernel=stage.cache / inputs.kernel.path,
        initramfs=stage.cache / initramfs.image.path,
        command_line=part.root.command_line(part.command_line),
        version=inputs.version,
        os_release=inputs.os_release,
        epoch=inputs.epoch,
    )
    below = {entry.name: stage.cache / entry.file.path for entry in inputs.esp}
    image, work = stage.path("esp.img"), stage.path("work")
    temporary = work / "esp"
    if temporary.exists():  # left by a killed build
        shutil.rmtree(temporary)
    temporary.mkdir(parents=True)
    writes = [work, stage.create_log()]
    namespace.call(_create, part, bootable, below, work, chroot, temporary / image.name, stage.log, writes=writes)
    (temporary / image.name).replace(image)
    temporary.rmdir()
    esp = PartitionImage(id=part.esp.id, path=stage.artefact(image), digest=digest_of_sparse(image))
    stage.write(
        BootFiles(
            command_line=bootable.command_line,
            kernel=inputs.kernel.sha256,
            initramfs=initramfs.image.sha256,
            images=(esp,),
        )
    )
    return f"{part.name}.efi: {bootable.command_line}"


def _create(  # noqa: PLR0913 - runs in a namespace
    part: Slice, bootable: Bootable, below: Mapping[str, Path], place: Path, chroot: Path, image: Path, log: Path
) -> None:
    files = {file.name: file for file in (bootable.kernel, bootable.initramfs)}
    visible = [place, *sorted({file.parents[len(Path(name).parts) - 1] for name, file in below.items()})]
    with (
        toolbox.workspace(place / "boot") as work,
        toolbox.opened(chroot, work, log, visible=visible, files=files) as tools,
    ):
        own = boot_method(part.method).esp_files(bootable, work, tools)
        make_fat(
            image,
            size=part.esp.size,
            volume_id=part.esp.volume_id,
            label=part.esp.label,
            epoch=bootable.epoch,
            files=esp_files.merge_files(below, own),
            tools=tools,
        )


KIND = Kind(
    name="boot",
    version=4,
    doc="create the boot image and the EFI system partition",
    reads=(BootInputs, Initramfs, BuildEnvironment),
    writes=(BootFiles,),
    run=run,
)
