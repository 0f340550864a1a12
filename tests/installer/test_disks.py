from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from installer.machine import FIVE, GB, STICK, Made, make_machine
from oic.installer.disks import Disk, disk_of_partition, disks_of, partition_path

if TYPE_CHECKING:
    from pathlib import Path


def test_disks_are_described_as_sysfs_does(tmp_path: Path) -> None:
    machine = make_machine(tmp_path, FIVE, mounts=STICK)
    assert disks_of(machine) == [
        Disk(
            path="/dev/sda",
            size=500 * GB,
            model="ST500LM030-2E717D",
            transport="sata",
            is_rotational=True,
            partitions=(1, 2),
        ),
        Disk(
            path="/dev/sdb",
            size=64 * GB,
            model="DataTraveler 3.0",
            transport="usb",
            is_removable=True,
            partitions=(1,),
            used="is the installation medium",
        ),
        Disk(path="/dev/sdc", size=256 * GB, model="INTEL SSDSC2KB25", transport="sata"),
        Disk(path="/dev/vda", size=20 * GB, transport="virtio"),
        Disk(path="/dev/nvme0n1", size=256 * GB, model="SAMSUNG MZVL2256", transport="nvme"),
    ]


def test_lsblk_has_the_same_order_sizes_and_transports(tmp_path: Path) -> None:
    more = [
        Made(name="sdaa", attached="sas"),
        Made(name="nvme0n10", attached="nvme"),
        Made(name="sdd", attached="scsi"),
    ]
    machine = make_machine(tmp_path, [*FIVE, *more])
    argv = ["lsblk", "--sysroot", str(tmp_path), "--nodeps", "--bytes", "--json", "-o", "NAME,SIZE,TRAN,RM,ROTA,RO"]
    said = json.loads(subprocess.run(argv, capture_output=True, text=True, check=True).stdout)["blockdevices"]
    found = disks_of(machine)
    assert [f"/dev/{one['name']}" for one in said] == [disk.path for disk in found]
    assert [one["size"] for one in said] == [disk.size for disk in found]
    assert [one["rota"] for one in said] == [disk.is_rotational for disk in found]
    known = [(one["tran"], disk.transport) for one, disk in zip(said, found, strict=True) if one["tran"]]
    assert [said for said, _ in known] == [own for _, own in known]
    assert known


@pytest.mark.parametrize(
    "name", ["loop0", "ram3", "sr0", "zram0", "dm-0", "md127", "fd0", "nbd0", "mmcblk0boot0", "mmcblk0rpmb", "zd16"]
)
@pytest.mark.parametrize("attached", ["virtual", "sata"])
def test_what_is_no_disk_is_not_listed(name: str, attached: str, tmp_path: Path) -> None:
    assert disks_of(make_machine(tmp_path, [Made(name=name, attached=attached)])) == []


def test_what_is_made_of_other_devices_is_not_listed_and_nvme_with_several_paths_is(tmp_path: Path) -> None:
    made = [Made(name="bcache0", attached="virtual"), Made(name="nvme0n1", attached="multipath")]
    assert [(disk.path, disk.transport) for disk in disks_of(make_machine(tmp_path, made))] == [
        ("/dev/nvme0n1", "nvme")
    ]


def test_a_reader_without_a_card_and_a_hidden_path_are_not_listed(tmp_path: Path) -> None:
    made = [
        Made(name="sda", attached="usb", size=0, removable=True),
        Made(name="nvme0c0n1", attached="nvme", hidden=True),
    ]
    assert disks_of(make_machine(tmp_path, made)) == []


@pytest.mark.parametrize(("kind", "removable"), [("MMC", False), ("SD", True)])
def test_a_card_is_removable_and_soldered_flash_is_not(kind: str, removable: bool, tmp_path: Path) -> None:  # noqa: FBT001
    (disk,) = disks_of(make_machine(tmp_path, [Made(name="mmcblk0", attached="mmc", kind=kind)]))
    assert (disk.transport, disk.is_removable) == ("mmc", removable)


def test_a_usb_disk_that_says_it_is_fixed_is_removable(tmp_path: Path) -> None:
    (disk,) = disks_of(make_machine(tmp_path, [Made(name="sda", attached="usb", removable=False)]))
    assert disk.is_removable


@pytest.mark.parametrize(
    ("mounts", "swaps", "holder", "used"),
    [
        ("31 1 8:0 / /mnt ro - ext4 /dev/sda ro\n", "", "", "is mounted at /mnt"),
        ("31 1 8:2 / /mnt\\040two rw shared:7 - ext4 /dev/sda2 rw\n", "", "", "is mounted at /mnt two"),
        ("31 1 0:45 /@ /data rw - btrfs /dev/sda1 rw\n", "", "", "is mounted at /data"),
        (
            "31 1 8:2 / /mnt rw - ext4 /dev/sda2 rw\n32 1 8:0 / /run/oic/medium ro - iso9660 /dev/sda ro\n",
            "",
            "",
            "is the installation medium",
        ),
        ("", "/dev/sda2  partition\t1024\t0\t-2\n", "", "is used as swap"),
        ("", "", "md0", "is used by md0"),
        ("31 1 8:32 / /mnt ro - ext4 /dev/sdc ro\n31 1 0:5 / /x - a\nnonsense\n", "/dev/sdc partition\n", "", ""),
    ],
)
def test_a_disk_in_use_says_by_what(mounts: str, swaps: str, holder: str, used: str, tmp_path: Path) -> None:
    made = [Made(name="sda", attached="sata", partitions=2, holder=holder)]
    (disk,) = disks_of(make_machine(tmp_path, made, mounts=mounts, swaps=swaps))
    assert disk.used == used


def test_a_partition_has_a_device_and_a_disk(tmp_path: Path) -> None:
    machine = make_machine(tmp_path, [*FIVE, Made(name="mmcblk0", attached="mmc", partitions=3)])
    assert str(partition_path(machine, "/dev/mmcblk0", 3)) == "/dev/mmcblk0p3"
    assert str(partition_path(machine, "/dev/sda", 2)) == "/dev/sda2"
    assert partition_path(machine, "/dev/sda", 3) is None
    assert disk_of_partition(machine, "mmcblk0p3") == "mmcblk0"
    assert disk_of_partition(machine, "sdz1") == ""


def test_this_machine_can_be_described() -> None:
    """Whatever it has: no attribute is expected to be there."""
    from oic.installer.disks import Machine  # noqa: PLC0415

    for disk in disks_of(Machine()):
        assert disk.path.startswith("/dev/")
        assert disk.size > 0
