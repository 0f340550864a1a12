"""Machines that are made up: the files in /sys/block and /proc of disks as the kernel writes them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from oic.installer.disks import Machine

if TYPE_CHECKING:
    from pathlib import Path

GB = 1_000_000_000
PCI = "devices/pci0000:00/0000:00:04.0"
MAJORS = {"vd": 252, "nvme": 259, "mmcblk": 179}
ATTACHED = {
    "virtio": f"{PCI}/virtio1/block",
    "sata": f"{PCI}/ata3/host2/target2:0:0/2:0:0:0/block",
    "sas": f"{PCI}/host1/port-1:0/end_device-1:0/target1:0:0/1:0:0:0/block",
    "scsi": f"{PCI}/host0/target0:2:0/0:2:0:0/block",
    "nvme": f"{PCI}/nvme/nvme0",
    "usb": f"{PCI}/usb2/2-1/2-1:1.0/host6/target6:0:0/6:0:0:0/block",
    "mmc": f"{PCI}/mmc_host/mmc0/mmc0:0001/block",
    "virtual": "devices/virtual/block",
    "multipath": "devices/virtual/nvme-subsystem/nvme-subsys0",
}


@dataclass(frozen=True, kw_only=True)
class Made:
    """A disk to be made up."""

    name: str
    attached: str
    size: int = 8 * GB
    model: str = ""
    kind: str = ""
    rotational: bool = False
    removable: bool = False
    read_only: bool = False
    hidden: bool = False
    sector: int = 512
    partitions: int = 0
    holder: str = ""


def device_of(name: str) -> tuple[int, int]:
    """Return the device number that Linux gives to a disk (Documentation/admin-guide/devices.txt)."""
    if name.startswith("sd"):
        at = 0
        for letter in name[2:]:
            at = at * 26 + ord(letter) - ord("a") + 1
        return (8, 16 * (at - 1)) if at <= 16 else (65, 16 * (at - 17))
    return next((major for start, major in MAJORS.items() if name.startswith(start)), 7), 16 * (ord(name[-1]) % 8)


def make_machine(root: Path, disks: list[Made], *, mounts: str = "", swaps: str = "") -> Machine:
    """Write the files of a machine with these disks; `mounts` are lines of mountinfo, `swaps` of /proc/swaps."""
    for disk in disks:
        _write_disk(root / "sys", disk)
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/mountinfo").write_text(mounts)
    (root / "proc/swaps").write_text(f"Filename\tType\tSize\tUsed\tPriority\n{swaps}")
    (root / "sys/block").mkdir(parents=True, exist_ok=True)
    return Machine(sys=root / "sys", proc=root / "proc")


def _write_disk(sys: Path, disk: Made) -> None:
    major, minor = device_of(disk.name)
    folder = sys / ATTACHED[disk.attached] / disk.name
    letter = "p" if disk.name[-1].isdigit() else ""
    texts = {
        "dev": f"{major}:{minor}",
        "size": str(disk.size // 512),
        "ro": str(int(disk.read_only)),
        "removable": str(int(disk.removable)),
        "queue/rotational": str(int(disk.rotational)),
        "queue/logical_block_size": str(disk.sector),
    }
    texts |= {"hidden": "1"} if disk.hidden else {}
    texts |= {"device/model": f"{disk.model}  "} if disk.model else {}
    texts |= {"device/type": disk.kind} if disk.kind else {}
    for number in range(1, disk.partitions + 1):
        part = f"{disk.name}{letter}{number}"
        texts |= {f"{part}/partition": str(number), f"{part}/dev": f"{major}:{minor + number}", f"{part}/size": "2048"}
    for name, text in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"{text}\n")
    (folder / "holders").mkdir()
    if disk.holder:
        (folder / "holders" / disk.holder).touch()
    (sys / "block").mkdir(exist_ok=True)
    (sys / "block" / disk.name).symlink_to(os.path.relpath(folder, sys / "block"))
    (sys / "dev/block").mkdir(parents=True, exist_ok=True)
    (sys / f"dev/block/{major}:{minor}").symlink_to(os.path.relpath(folder, sys / "dev/block"))


FIVE = [
    Made(name="vda", attached="virtio", size=20 * GB),
    Made(name="sda", attached="sata", size=500 * GB, model="ST500LM030-2E717D", rotational=True, partitions=2),
    Made(name="nvme0n1", attached="nvme", size=256 * GB, model="SAMSUNG MZVL2256"),
    Made(name="sdb", attached="usb", size=64 * GB, model="DataTraveler 3.0", removable=True, partitions=1),
    Made(name="sdc", attached="sata", size=256 * GB, model="INTEL SSDSC2KB25"),
]
"""Five disks of different kinds: of these, sda has data, sdb is the stick that the machine started from."""
CONTENTS = {"/dev/sda": "gpt, 2 partitions", "/dev/sdb": "iso9660, dos, 1 partition"}
STICK = "31 1 8:16 / /run/oic/medium ro,relatime shared:1 - iso9660 /dev/sdb ro\n"
