"""The slices of the stages that make a raw image of the tree, and of the evidence beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from oic.files import digest_of, to_plain
from oic.image.seeds import uuid_for
from oic.plan.tree import is_esp, is_mounted

if TYPE_CHECKING:
    from oic.config.model import FinalConfig
    from oic.image.disk.geometry import Layout


def file_systems_of(config: FinalConfig, placed: Layout, seed: str) -> dict[str, Any]:
    """Return the partitions made from the tree: all with a file system but the ESP, which is the boot stage's."""
    sizes = {entry.id: entry.size for entry in placed.partitions}
    partitions = [
        {
            "id": entry.id,
            "type": entry.fs_type,
            "label": entry.fs_label,
            "at": entry.mount_point if is_mounted(entry) else "",
            "size": sizes[entry.id],
            "uuid": uuid_for(seed, f"file system {entry.id}"),
        }
        for entry in config.disk.partitions
        if entry.fs_type and entry.id != _esp(config)
    ]
    elsewhere = sorted(entry.mount_point for entry in config.disk.partitions if is_mounted(entry))
    return {"partitions": partitions, "mountPoints": elsewhere}


def _esp(config: FinalConfig) -> str:
    return next((entry.id for entry in config.disk.partitions if is_esp(entry)), "")


def boot_of(config: FinalConfig, placed: Layout, seed: str) -> dict[str, Any]:
    """Return what the boot image says, and the EFI system partition it lies in."""
    esp = next((entry for entry in placed.partitions if entry.id == _esp(config)), None)
    label = next((entry.fs_label for entry in config.disk.partitions if entry.id == _esp(config)), "")
    root = next((entry.id for entry in config.disk.partitions if entry.mount_point == "/"), "")
    return {
        "cmdline": config.system.kernel.cmdline,
        "root": next((entry.part_uuid for entry in placed.partitions if entry.id == root), ""),
        "name": f"{config.image.name}-{config.image.version}",
        "esp": {"id": esp.id, "size": esp.size, "label": label} if esp else None,
        "seed": seed,
        "arch": config.target.arch,
    }


def disk_of(config: FinalConfig, placed: Layout, artefact: str) -> dict[str, Any]:
    """Return where each partition lies, and the name of the file."""
    return {"layout": to_plain(placed), "name": config.image.name, "version": config.image.version, "file": artefact}


def evidence_of(config: FinalConfig, users: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what the manifest says of the recipe."""
    target, image = to_plain(config.target), to_plain(config.image)
    online = [command.cmd for command in config.system.commands if command.network]
    system = {**to_plain(config.system), "users": users}  # a digest of a plain password could be guessed
    outside = [file.final for file in config.system.files if file.outside]
    for file in system["files"]:
        del file["local"], file["outside"]  # the same recipe in another directory is the same recipe
    recipe = digest_of({"target": target, "image": image, "disk": config.disk, "system": system})
    return {"image": image, "target": target, "recipe": recipe, "networkCommands": online, "outsideFiles": outside}
