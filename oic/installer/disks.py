"""The disks of this machine, as sysfs and procfs describe them.

Formats: Documentation/ABI/stable/sysfs-block of Linux; proc_pid_mountinfo(5), proc_swaps(5).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_SECTOR = 512
"""Sizes in sysfs are in sectors of this size, whatever the disk's own is."""
_NO_DISKS = re.compile(r"(loop|ram|sr|zram|dm-|md|fd|nbd|zd|mtdblock)\d|mmcblk\d+(boot\d+|rpmb|gp\d+)")
_ESCAPED = re.compile(r"\\([0-7]{3})")
_TRANSPORTS = (
    ("usb", r"/usb\d+/"),
    ("nvme", r"/nvme"),
    ("mmc", r"/mmc\d+:"),
    ("virtio", r"/virtio\d+/"),
    ("sata", r"/ata\d+/"),
    ("sas", r"/end_device-\d+:"),
    ("scsi", r"/host\d+/"),
)
"""How a disk is attached, by what its path in sysfs has in it; the first that fits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """A disk: `sector` is its logical sector size; `used` says what uses it, or nothing.

    `partitions` are the numbers that the kernel knows.
    """

    path: str
    size: int
    model: str = ""
    transport: str = ""
    is_removable: bool = False
    is_rotational: bool = False
    is_read_only: bool = False
    sector: int = _SECTOR
    partitions: tuple[int, ...] = ()
    used: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Where a machine describes itself, and where its medium is mounted."""

    sys: Path = Path("/sys")
    proc: Path = Path("/proc")
    dev: Path = Path("/dev")
    medium: Path = Path("/run/oic/medium")


def disks_of(machine: Machine) -> list[Disk]:
    """Return the disks in the order of their device numbers, as lsblk(8) lists them."""
    folder = machine.sys / "block"
    names = [entry.name for entry in folder.iterdir()] if folder.is_dir() else []
    kept = [name for name in names if not _NO_DISKS.match(name)]
    found = [_disk(machine, folder / name) for name in sorted(kept, key=lambda name: (_device(folder / name), name))]
    return [disk for disk in found if disk]


def partition_path(machine: Machine, disk: str, number: int) -> Path | None:
    """Return the device of a disk's partition, or None while the kernel has none."""
    for folder in (machine.sys / "block" / Path(disk).name).glob("*/partition"):
        if _text(folder) == str(number):
            return machine.dev / folder.parent.name
    return None


def disk_of_partition(machine: Machine, name: str) -> str:
    """Return the name of the disk that a partition of this name is on, or nothing."""
    return next((entry.parent.name for entry in (machine.sys / "block").glob(f"*/{name}")), "")


def medium_device(machine: Machine) -> str:
    """Return the device that the medium is mounted from, or nothing."""
    found = [source for _, at, source in _mounts(machine) if at == str(machine.medium)]
    return found[-1] if found else ""


def _device(folder: Path) -> tuple[int, ...]:
    return tuple(int(part) for part in _text(folder / "dev").split(":") if part.isdigit())


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8", "replace").strip()
    except OSError:  # devices lack attributes, and a device can go
        return ""


def _number(file: Path) -> int:
    text = _text(file)
    return int(text) if text.isascii() and text.isdigit() else 0


def _disk(machine: Machine, folder: Path) -> Disk | None:
    size = _number(folder / "size") * _SECTOR
    if not size or _number(folder / "hidden"):  # an empty card reader; a path of a multipath NVMe disk
        return None
    where = str(folder.resolve())
    if "/devices/virtual/block/" in where:  # made of other devices, as bcache's; NVMe with several paths is elsewhere
        return None
    transport = next((name for name, pattern in _TRANSPORTS if re.search(pattern, where)), "")
    is_card = transport == "mmc" and _text(folder / "device/type") == "SD"
    parts = {entry.parent.name: _number(entry) for entry in folder.glob("*/partition")}
    return Disk(
        path=str(machine.dev / folder.name),
        size=size,
        model=" ".join((_text(folder / "device/model") or _text(folder / "device/name")).split()),
        transport=transport,
        is_removable=bool(_number(folder / "removable")) or transport == "usb" or is_card,
        is_rotational=bool(_number(folder / "queue/rotational")),
        is_read_only=bool(_number(folder / "ro")),
        sector=_number(folder / "queue/logical_block_size") or _SECTOR,
        partitions=tuple(sorted(parts.values())),
        used=_use_of(machine, [folder, *(folder / name for name in parts)]),
    )


def _use_of(machine: Machine, folders: list[Path]) -> str:
    """Return what uses a disk or one of its partitions: the medium, a mount, swap, or a device made of it."""
    numbers = {_text(folder / "dev") for folder in folders} - {""}
    names = {f"/dev/{folder.name}" for folder in folders} | {str(machine.dev / folder.name) for folder in folders}
    mounts = [at for number, at, source in _mounts(machine) if number in numbers or source in names]
    if str(machine.medium) in mounts:
        return "is the installation medium"
    if mounts:
        return f"is mounted at {mounts[0]}"
    swaps = [line.split()[0] for line in _text(machine.proc / "swaps").splitlines()[1:] if line.split()]
    if names & set(swaps):
        return "is used as swap"
    holders = sorted(entry.name for folder in folders for entry in folder.glob("holders/*"))
    return f"is used by {holders[0]}" if holders else ""


def _mounts(machine: Machine) -> list[tuple[str, str, str]]:
    """Return device number, mount point and source of each mount."""
    found = []
    for line in _text(machine.proc / "self/mountinfo").splitlines():
        before, _, after = line.partition(" - ")
        fields, rest = before.split(), after.split()
        if len(fields) > 4 and len(rest) > 1:
            found.append((fields[2], _unescaped(fields[4]), _unescaped(rest[1])))
    return found


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda match: chr(int(match[1], 8)), text)
