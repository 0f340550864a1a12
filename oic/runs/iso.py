"""Runs the stage `oic.stages.iso`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oic.chroot import layers, namespace, toolbox
from oic.config.architecture import ARCHITECTURES
from oic.errors import OicError
from oic.handover.disk import LiveTree, Medium, MediumSystem, Payload, Product
from oic.handover.packages import LockFile, Verified
from oic.handover.tree import BootInputs, BuildEnvironment
from oic.image.boot.release import title_of
from oic.image.medium import DIRECTORY, LIVE_FILE
from oic.image.medium.iso import IsoSpec, make_iso
from oic.image.medium.menu import INITRAMFS, KERNEL, MENU, Entry, menu_text
from oic.ospackage.store import Store
from oic.provider import provider_of

if TYPE_CHECKING:
    from pathlib import Path

    from oic.stage import Stage
    from oic.stages.iso import Slice


def run(stage: Stage[Slice]) -> str:
    """Make the ISO."""
    part, inputs, packed = stage.slice, stage.read(BootInputs), stage.read(MediumSystem)
    menu = menu_text(
        title_of(inputs.os_release),
        [Entry(mode=offer.mode, command_line=offer.command_line) for offer in part.offers],
        part.marker,
    )
    spec = IsoSpec(
        files={
            MENU: menu.encode(),
            KERNEL: stage.cache / packed.kernel.path,
            INITRAMFS: stage.cache / packed.initramfs.path,
            **_content(stage, inputs, packed),
            **({f"{DIRECTORY}/answers": part.answers.encode()} if part.answers else {}),
            **_packages(stage),
        },
        label=part.label,
        marker=part.marker,
        disk_uuid=part.disk_uuid,
        volume_id=part.volume_id,
        architecture=ARCHITECTURES[part.architecture],
        epoch=inputs.epoch,
    )
    chroot = layers.read(stage.cache / stage.read(BuildEnvironment).layer.place).tree
    target, work = stage.path(part.file), stage.path("work")
    work.mkdir(exist_ok=True)
    writes = [work, stage.create_log()]
    made = namespace.call(_make, spec, chroot, work, stage.cache / "store", stage.log, writes=writes)
    made.replace(target)
    file = stage.artefact_of(target)
    stage.write(Medium(products=(Product(format="iso", compression="", file=file),)))
    return f"{target.name}, {file.size >> 20} MiB"


def _content(stage: Stage[Slice], inputs: BootInputs, packed: MediumSystem) -> dict[str, Path | bytes]:
    """Return what the initramfs reads of the medium; raises OicError for a live system of another kernel."""
    files: dict[str, Path | bytes] = {}
    if Payload in stage.reads:
        payload = stage.read(Payload)
        files[f"{DIRECTORY}/payload.json"] = stage.cache / payload.index.path
        for image in payload.images:
            files[f"{DIRECTORY}/payload/{image.path.rpartition('/')[2]}"] = stage.cache / image.path
    if LiveTree in stage.reads:
        files[f"{DIRECTORY}/{LIVE_FILE}"] = stage.cache / stage.read(LiveTree).file.path
        versions = [kernel.version for kernel in inputs.kernels]
        if packed.version not in versions:
            text = f"expected the kernel of the initramfs, {packed.version}, in the live system, found {versions[0]}"
            raise OicError(text, hint="name the same kernel.packages in both recipes")
    return files


def _packages(stage: Stage[Slice]) -> dict[str, Path | bytes]:
    """Return the repositories that the medium carries; raises OicError for one that it cannot, or a damaged file."""
    if LockFile not in stage.reads:
        return {}
    lock, verified, store = stage.read(LockFile).lock, {*stage.read(Verified).packages}, Store(stage.cache / "store")
    files = provider_of(stage.slice.provider).carried(lock)
    if unknown := [package.name for package in lock.sets["image"] if package.sha256 not in verified]:
        raise OicError(
            f"expected verified packages only, found {unknown[0]}",
            hint=f"doit forget verify:{stage.image}, then build again",
        )
    for file in files:
        store.check(file.sha256, file.size)
    return {file.path: store.path(file.sha256) for file in files}


def _make(spec: IsoSpec, chroot: Path, work: Path, store: Path, log: Path) -> Path:
    """Return the ISO, in the directory `work`; runs in a namespace."""
    made = work / "medium.iso"
    files = [path for path in spec.files.values() if not isinstance(path, bytes)]
    places = sorted({store if path.is_relative_to(store) else path.parent for path in files})
    with (
        toolbox.workspace(work / "iso") as place,
        toolbox.workspace(place / "tools") as tools_work,
        toolbox.workspace(place / "pieces") as pieces,
        toolbox.opened(chroot, tools_work, log, visible=[*places, pieces]) as tools,
    ):
        make_iso(spec, pieces / made.name, pieces, tools)
        (pieces / made.name).replace(made)
    return made
