"""How an image boots, as a recipe says it, and the combinations that cannot be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oic.config.assemble import bootloader_of
from oic.config.disk import file_system, mount_point
from oic.config.partition_types import type_guid
from oic.image.boot.grub.menu import wrong_with
from oic.image.boot.place import CORE_READS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from oic.config.source import Node

    Problems = Iterator[tuple[Node, str]]


def boot_problems(tree: Node) -> Problems:
    """Say what keeps a raw image from booting as its recipe, merged over its defaults, wants it."""
    disk, system = tree.get("disk"), tree.get("systemConfig")
    loader, partitions = system.get("bootloader"), disk.get("partitions").items
    wanted, table = bootloader_of(loader), disk.get("partitionTableType").text or "gpt"
    if (wanted.boot_type, wanted.provider) == ("legacy", "systemd-boot"):
        yield loader.get("bootType"), "expected provider: grub beside bootType: legacy, found systemd-boot"
    if (wanted.provider, table) == ("systemd-boot", "mbr"):
        text = "expected gpt, which is what systemd-boot finds its partitions in, or provider: grub, found mbr"
        yield disk.get("partitionTableType"), text
    if wanted.boot_type == "efi":
        yield from _esp_problems(disk.get("partitions"))
    if wanted.provider == "grub":
        yield from _grub_problems(partitions, system.get("kernel", "cmdline"))


def _esp_problems(partitions: Node) -> Problems:
    esp = [item for item in partitions.items if _type_of(item) == type_guid("esp")]
    if not esp:
        yield partitions, "expected a partition of type esp, for bootType efi, found none"
    for item in esp:
        if (found := file_system(item.get("fsType").text)) not in {"", "fat16", "fat32"}:
            yield item.get("fsType"), f"expected fat32 or fat16 for an esp, as firmware reads no other, found {found}"


def _grub_problems(partitions: list[Node], command_line: Node) -> Problems:
    mounted = {mount_point(item.get("mountPoint").text): item for item in partitions}
    boot = mounted.get("/boot", mounted.get("/"))
    kind = file_system(boot.get("fsType").text) if boot else ""
    if boot and kind and kind not in CORE_READS:
        names = ", ".join(CORE_READS)
        yield boot.get("fsType"), f"expected a file system that GRUB reads /boot from: {names}, found {kind}"
    if wanted := wrong_with(command_line.text):
        yield command_line, f"expected {wanted}, found {command_line.text}"


def _type_of(item: Node) -> str | None:
    return type_guid(item.get("typeUUID").text or item.get("type").text)
