"""The firmware's entry for what was installed, by efibootmgr(8), where the firmware's variables can be written.

Without one, a firmware boots the disk by the path for removable media, which the ESP has. So a failure here is said,
and ends nothing.
"""

from __future__ import annotations

import os
import platform
import re
from typing import TYPE_CHECKING

from .door import run
from .errors import InstallError

if TYPE_CHECKING:
    from .disks import Machine
    from .payload import Partition, Payload

_FAT = ("fat16", "fat32", "vfat")
_SUFFIXES = {"x86_64": "X64", "aarch64": "AA64", "armv7l": "ARM"}
"""UEFI 2.10, section 3.5.1.1."""
_ENTRY = re.compile(r"Boot([0-9A-F]{4})[* ] (.*)")


def set_boot_entry(machine: Machine, disk: str, payload: Payload, uuids: dict[int, str]) -> str:
    """Make the firmware boot the disk first, and return what was done in words; `uuids` are those of partitions."""
    esp = next((one for one in payload.partitions if one.boots and one.type in _FAT), None)
    if payload.firmware != "efi" or esp is None:
        return ""
    variables = machine.sys / "firmware/efi/efivars"
    if not (variables.is_dir() and any(variables.iterdir()) and os.access(variables, os.W_OK)):
        return "The firmware's variables cannot be written: it boots the disk as a removable one, without an entry."
    try:
        return _replace_entry(disk, payload, esp, uuids.get(esp.number, ""))
    except InstallError as error:
        return f"The firmware takes no boot entry, and boots the disk as a removable one: {error.message}"


def _replace_entry(disk: str, payload: Payload, esp: Partition, uuid: str) -> str:
    for number in old_entries(run(["efibootmgr", "-v"]), payload.image, uuid):
        run(["efibootmgr", "--quiet", "--bootnum", number, "--delete-bootnum"])
    loader = f"\\EFI\\BOOT\\BOOT{_SUFFIXES.get(platform.machine(), 'X64')}.EFI"
    part = ["--disk", disk, "--part", str(esp.number)]
    run(["efibootmgr", "--quiet", "--create", *part, "--label", payload.image, "--loader", loader])
    return f"The firmware boots {payload.image} from {disk} first."


def old_entries(output: str, label: str, uuid: str) -> list[str]:
    """Return the numbers of entries, in what ``efibootmgr -v`` prints, that an earlier installation made."""
    found = []
    for line in output.splitlines():
        match = _ENTRY.match(line)
        if uuid and match and re.match(rf"{re.escape(label)}\s+HD\(", match[2]) and uuid.lower() in match[2].lower():
            found.append(match[1])
    return found
