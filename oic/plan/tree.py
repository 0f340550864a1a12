"""The slices of the stages that make the tree: what is configured in it, what its initramfs has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from oic.files import to_plain

if TYPE_CHECKING:
    from oic.config.model import FinalConfig, Partition
    from oic.image.disk.geometry import Layout


ESP_TYPE = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"
"""The EFI system partition's type GUID, UEFI 2.10 table 5.7."""


def system_of(config: FinalConfig, placed: Layout, users: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what is configured in the installed tree."""
    system = config.system
    return {
        "hostname": system.hostname,
        "users": users,
        "files": to_plain(system.files),
        "commands": to_plain(system.commands),
        "services": to_plain(system.services),
        "timezone": system.timezone,
        "locale": system.locale,
        "keymap": system.keymap,
        "packageSources": _known_to_image(config),
        "mounts": _mounts(config, placed),
        "esp": next((entry.mount_point for entry in config.disk.partitions if is_esp(entry) and is_mounted(entry)), ""),
    }


def _known_to_image(config: FinalConfig) -> dict[str, str]:
    """Return the repositories the image is to know, each with its key file in the image, and those that are off."""
    if config.system.package_sources != "keep":
        return {}
    known = {entry.name: entry.image_key for entry in config.repositories}
    return {**dict.fromkeys(config.distribution.off, ""), **known}


def _mounts(config: FinalConfig, placed: Layout) -> list[dict[str, str]]:
    uuids = {entry.id: entry.part_uuid for entry in placed.partitions}
    return [
        {"partuuid": uuids[entry.id], "at": entry.mount_point, "type": entry.fs_type, "options": entry.mount_options}
        for entry in config.disk.partitions
        if is_mounted(entry) or entry.fs_type == "linux-swap"
    ]


def is_mounted(entry: Partition) -> bool:
    """Tell whether a partition has a place in the tree."""
    return entry.mount_point.startswith("/")


def is_esp(entry: Partition) -> bool:
    """Tell whether a partition is the EFI system partition."""
    return entry.type_uuid == ESP_TYPE


def initrd_of(config: FinalConfig) -> dict[str, Any]:
    """Return what is added to the initramfs."""
    return {"modules": list(config.system.kernel.extra_modules)}
