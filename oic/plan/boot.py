"""How an image boots: which method, and what of the disk it is told."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from msgspec.structs import replace

from oic.image.boot import is_in_tree, method_name
from oic.image.boot.esp import EspPartition
from oic.image.boot.place import BootPlace
from oic.image.boot.root import ByPartuuid
from oic.image.disk.bios import core_place
from oic.image.disk.content import ByContent, is_by_content
from oic.image.disk.kinds import TABLE_KINDS
from oic.image.seeds import uuid_for, volume_id_for
from oic.plan.tree import is_esp, is_mounted
from oic.stages import boot

if TYPE_CHECKING:
    from oic.config.model import FinalConfig, Partition
    from oic.image.disk.placed import Layout
    from oic.plan.maker import Maker


def method_of(config: FinalConfig) -> str:
    """Return the name of the recipe's boot method."""
    system = config.system
    return method_name(system.bootloader.boot_type, system.bootloader.provider, entries=system.kernel.entries)


def disk_of(config: FinalConfig, seed: str) -> ByContent:
    """Return the disk to be placed, with what of the recipe has no effect on its table taken out."""
    entries = tuple(replace(entry, mount_point="", mount_options="") for entry in config.disk.partitions)
    is_legacy = config.system.bootloader.boot_type == "legacy"
    return ByContent(disk=replace(config.disk, partitions=entries, grows=False), seed=seed, is_legacy=is_legacy)


def boot_slice(make: Maker, placed: Layout) -> boot.Slice:
    """Return what the boot stage is told."""
    config = make.config
    there = {entry.id: entry for entry in placed.partitions}
    root = next((there[entry.id].part_uuid for entry in config.disk.partitions if entry.mount_point == "/"), "")
    method = method_of(config)
    return boot.Slice(
        provider=config.distribution.provider,
        method=method,
        architecture=config.target.arch,
        name=make.stem,
        command_line=config.system.kernel.cmdline,
        root=None if config.read_only else ByPartuuid(uuid=root),
        esp=None if config.secure_boot else esp_of(make, placed),
        place=_place(make, placed) if is_in_tree(method) else None,
        to_sign=config.secure_boot is not None,
    )


def esp_of(make: Maker, placed: Layout) -> EspPartition | None:
    """Return the EFI system partition, where the disk has one."""
    config = make.config
    esp = next((entry for entry in config.disk.partitions if is_esp(entry)), None)
    if esp is None:
        return None
    return EspPartition(
        id=esp.id,
        type=esp.fs_type,
        size=None
        if is_by_content(esp, config.disk)
        else next(entry.size for entry in placed.partitions if entry.id == esp.id),
        label=esp.fs_label,
        volume_id=volume_id_for(make.seed, f"file system {esp.id}"),
        at=esp.mount_point if is_in_tree(method_of(config)) and is_mounted(esp) else "",
    )


def _place(make: Maker, placed: Layout) -> BootPlace:
    """Return where /boot is: on the partition that is mounted there, or on the root."""
    config = make.config
    holds = next(entry for at in ("/boot", "/") for entry in config.disk.partitions if entry.mount_point == at)
    legacy = config.system.bootloader.boot_type == "legacy"
    return BootPlace(
        table=config.disk.table,
        number=next(entry.index for entry in placed.partitions if entry.id == holds.id),
        uuid=_uuid_of(holds, make.seed),
        file_system=holds.fs_type,
        at=str(PurePosixPath(holds.mount_point)),
        core=core_place(placed, TABLE_KINDS[config.disk.table]) if legacy else None,
    )


def _uuid_of(entry: Partition, seed: str) -> str:
    """Return what GRUB and blkid(8) say is the UUID of the partition's file system."""
    whole = uuid_for(seed, f"file system {entry.id}")
    if not entry.fs_type.startswith("fat"):
        return whole
    number = volume_id_for(seed, f"file system {entry.id}") if is_esp(entry) else volume_id_for(whole, "volume id")
    return f"{number >> 16:04X}-{number & 0xFFFF:04X}"
