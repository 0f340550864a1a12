"""Runs the stage `oic.stages.boot`."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from msgspec import UNSET
from msgspec.structs import replace

from oic.chroot import creation, layers, namespace, toolbox
from oic.config.architecture import ARCHITECTURES
from oic.config.sizes import SECTOR
from oic.files import atomic_file, digest_of_sparse
from oic.handover.disk import BootedKernel, BootedRoot, BootFiles, DiskPiece, PartitionImage
from oic.handover.tree import (
    Artefact,
    BootInputs,
    BuildEnvironment,
    ConfiguredTree,
    EspFile,
    Initramfs,
    LayerName,
)
from oic.image.boot import Bootable, BootKernel, BootParts, boot_method
from oic.image.boot.esp_image import make_esp
from oic.image.tree import bootable
from oic.image.tree import esp as esp_files
from oic.image.tree.generators import modules_setting
from oic.provider import provider_of
from oic.stages.boot import KIND, Slice
from oic.values import Bytes, digest_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from oic.stage import Stage


_FILES = "esp"
"""The directory of what is to be signed."""


def run(stage: Stage[Slice]) -> str:
    """Make what boots the image."""
    part, inputs = stage.slice, stage.read(BootInputs)
    wanted = _wanted(stage, inputs)
    below = {entry.name: stage.cache / entry.file.path for entry in inputs.esp}
    chroot = layers.read(stage.cache / stage.read(BuildEnvironment).layer.place).tree
    image, work = stage.path("esp.img"), stage.path("work")
    temporary = work / "esp"
    if temporary.exists():  # left by a killed build
        shutil.rmtree(temporary)
    temporary.mkdir(parents=True)
    writes = [work, stage.create_log()]
    parts = namespace.call(_make, part, wanted, below, work, chroot, temporary / image.name, stage.log, writes=writes)
    images = []
    to_sign = _handed_over(stage, temporary / _FILES) if part.to_sign else UNSET
    if part.esp:
        (temporary / image.name).replace(image)
        digest = digest_of_sparse(image)
        size = Bytes(image.stat().st_size)
        images.append(PartitionImage(id=part.esp.id, path=stage.artefact(image), size=size, digest=digest))
    temporary.rmdir()
    core, pieces = _core(stage, parts)
    stage.write(
        BootFiles(
            command_line=wanted.command_line,
            kernels=tuple(
                BootedKernel(version=kernel.version, kernel=kernel.file.sha256, initramfs=initramfs.sha256)
                for kernel, initramfs in zip(inputs.kernels, stage.read(Initramfs).images, strict=True)
            ),
            images=(*images, *core),
            pieces=pieces,
            tree=_layer(stage, wanted, parts),
            to_sign=to_sign,
        )
    )
    return f"{part.method}, kernel {', '.join(kernel.version for kernel in wanted.kernels)}: {wanted.command_line}"


def _wanted(stage: Stage[Slice], inputs: BootInputs) -> Bootable:
    part = stage.slice
    initramfs_path = provider_of(part.provider).initramfs_path
    kernels = [
        BootKernel(
            version=kernel.version,
            kernel=stage.cache / kernel.file.path,
            path=kernel.path,
            initramfs=stage.cache / initramfs.path,
            initramfs_path=initramfs_path(kernel.version),
        )
        for kernel, initramfs in zip(inputs.kernels, stage.read(Initramfs).images, strict=True)
    ]
    return Bootable(
        name=part.name,
        architecture=ARCHITECTURES[part.architecture],
        kernels=kernels,
        command_line=(part.root or stage.read(BootedRoot).root_hash).command_line(part.command_line),
        os_release=inputs.os_release,
        epoch=inputs.epoch,
        place=part.place,
    )


def _make(  # noqa: PLR0913 - runs in a namespace: all it knows is said here
    part: Slice, wanted: Bootable, below: Mapping[str, Path], place: Path, chroot: Path, image: Path, log: Path
) -> BootParts:
    """Return what boots the image, after the image of the ESP is made of its part of it."""
    files = {file.name: file for kernel in wanted.kernels for file in (kernel.kernel, kernel.initramfs)}
    visible = [place, *sorted({file.parents[len(Path(name).parts) - 1] for name, file in below.items()})]
    with (
        toolbox.workspace(place / "boot") as work,
        toolbox.opened(chroot, work, log, visible=visible, files=files) as tools,
    ):
        parts = boot_method(part.method).make_parts(wanted, work, tools)
        if part.to_sign:
            esp_files.write_files(image.with_name(_FILES), parts.esp)
        elif part.esp:
            in_tree = _on_esp(parts.tree, part.esp.at)
            # the tools see no file of the tree by its own path
            in_tree = {name: file if isinstance(file, bytes) else file.read_bytes() for name, file in in_tree.items()}
            make_esp(part.esp, image, esp_files.merge_files(below, {**parts.esp, **in_tree}), wanted.epoch, tools)
    return replace(parts, esp={})


def _handed_over(stage: Stage[Slice], files: Path) -> tuple[EspFile, ...]:
    """Put the files of the ESP beside the hand-over."""
    place = stage.path(_FILES)
    shutil.rmtree(place, ignore_errors=True)
    files.replace(place)
    names = sorted(str(path.relative_to(place)) for path in place.rglob("*") if path.is_file())
    return tuple(EspFile(name=name, file=stage.artefact_of(place / name)) for name in names)


def _on_esp(tree: Mapping[str, Path | bytes], at: str) -> dict[str, Path | bytes]:
    """Return what of the tree's files lies where the ESP is mounted, by its path there."""
    mounted = PurePosixPath(at.strip("/"))
    inside = {name: file for name, file in tree.items() if at and PurePosixPath(name).is_relative_to(mounted)}
    return {str(PurePosixPath(name).relative_to(mounted)): file for name, file in inside.items()}


def _core(stage: Stage[Slice], parts: BootParts) -> tuple[list[PartitionImage], tuple[DiskPiece, ...]]:
    """Put GRUB's images for a BIOS beside the hand-over: the boot code, and the core in its partition or gap."""
    core = stage.slice.place.core if stage.slice.place else None
    if core is None:
        return [], ()
    files = {}
    for name, content in (("boot-code.img", parts.boot_code), ("core.img", parts.core)):
        with atomic_file(stage.path(name)) as temporary:
            temporary.write_bytes(content)
        files[name] = Artefact.of(stage.artefact(stage.path(name)), content)
    code = DiskPiece(offset=Bytes(0), file=files["boot-code.img"])
    if core.partition:
        path = stage.path("core.img")
        size, digest = Bytes(core.sectors * SECTOR), digest_of_sparse(path)
        image = PartitionImage(id=core.partition, path=stage.artefact(path), size=size, digest=digest)
        return [image], (code,)
    return [], (code, DiskPiece(offset=core.offset, file=files["core.img"]))


def _layer(stage: Stage[Slice], wanted: Bootable, parts: BootParts) -> LayerName | None:
    """Return the layer of what the boot loader reads in the tree; None where it reads nothing there."""
    if not parts.tree:
        return None
    tree = stage.read(ConfiguredTree)
    below = [layers.read(stage.cache / layer.place).tree for layer in tree.layers]
    esp = stage.slice.esp.at if stage.slice.esp else ""
    elsewhere = {PurePosixPath(esp.strip("/"), name) for name in _on_esp(parts.tree, esp)}
    files = {name: file for name, file in parts.tree.items() if PurePosixPath(name) not in elsewhere}
    made = stage.read(Initramfs)
    added = modules_setting(made.generator, made.modules)
    key = digest_of(
        {
            "version": KIND.version,
            "below": [layer.digest for layer in tree.layers],
            "tools": stage.read(BuildEnvironment).layer.digest,
            "slice": stage.slice,
            "initramfs": [image.sha256 for image in made.images],
            "added": added,
        }
    )
    initramfs = {kernel.version: kernel.initramfs_path for kernel in wanted.kernels if kernel.initramfs_path in files}
    fill = partial(bootable.fill, below, files, parts.settings, parts.private, added, initramfs, tree.epoch)
    layer = creation.get_or_create(stage.cache, key, fill)
    return LayerName(place=stage.artefact(layer.place), digest=layer.digest)
