from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from installer.machine import CONTENTS, FIVE, GB, STICK, Made, make_machine
from oic.installer.choice import INSTALLED, Wish, choose_disk, size_text
from oic.installer.contents import contents_of
from oic.installer.disks import Disk, disks_of
from oic.installer.errors import InstallError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def five(tmp_path: Path) -> list[Disk]:
    return disks_of(make_machine(tmp_path, FIVE, mounts=STICK))


def chosen(disks: list[Disk], wish: Wish) -> str:
    return choose_disk(disks, {disk.path: CONTENTS.get(disk.path, "") for disk in disks}, wish).path


def refused(disks: list[Disk], wish: Wish) -> str:
    with pytest.raises(InstallError) as caught:
        chosen(disks, wish)
    return str(caught.value)


@pytest.mark.parametrize(
    ("wish", "path"),
    [
        (Wish(strategy="first"), "/dev/sdc"),
        (Wish(strategy="largest"), "/dev/nvme0n1"),  # of two equal ones by path
        (Wish(strategy="largest", require_empty=False), "/dev/sda"),
        (Wish(strategy="fastest"), "/dev/nvme0n1"),
        (Wish(strategy="first", least=257 * GB, require_empty=False), "/dev/sda"),
        (Wish(path="/dev/vda"), "/dev/vda"),
        (Wish(path="/dev/vda", strategy="largest"), "/dev/vda"),
        (Wish(path="/dev/sda", require_empty=False), "/dev/sda"),
    ],
)
def test_of_five_disks_the_policy_takes_one(wish: Wish, path: str, five: list[Disk]) -> None:
    assert chosen(five, wish) == path


def test_a_machine_that_starts_from_the_medium_again_does_not_install_on_its_next_disk(five: list[Disk]) -> None:
    contents = {disk.path: "" for disk in five} | {"/dev/sda": f"gpt, 2 partitions, {INSTALLED}"}
    for strategy in ("", "first", "largest", "fastest"):
        with pytest.raises(InstallError, match=r"has the image already, found /dev/sda\n") as caught:
            choose_disk(five, contents, Wish(strategy=strategy))
        assert "remove the medium and restart" in str(caught.value)
    assert choose_disk(five, contents, Wish(path="/dev/vda")).path == "/dev/vda"
    assert choose_disk(five, contents, Wish(path="/dev/sda", require_empty=False)).path == "/dev/sda"


@pytest.mark.parametrize("strategy", ["first", "largest", "fastest"])
def test_the_medium_is_never_taken(strategy: str, tmp_path: Path) -> None:
    disks = disks_of(make_machine(tmp_path, [FIVE[3]], mounts=STICK))
    text = refused(disks, Wish(strategy=strategy, exclude_removable=False, require_empty=False))
    assert "is the installation medium" in text
    assert "is the installation medium" in refused(disks, Wish(path="/dev/sdb", require_empty=False))


def test_the_fastest_goes_by_how_a_disk_is_attached_then_by_what_it_is(tmp_path: Path) -> None:
    made = [
        Made(name="sda", attached="usb"),
        Made(name="mmcblk0", attached="mmc", kind="MMC"),
        Made(name="sdb", attached="sata", rotational=True, size=64 * GB),
        Made(name="sdc", attached="sata", model="Some Disk"),
        Made(name="sdd", attached="sata", model="Some SSD"),
        Made(name="sde", attached="sata", model="Some SSD", size=9 * GB),
        Made(name="sdf", attached="scsi", rotational=True),
        Made(name="sdg", attached="sas"),
        Made(name="vda", attached="virtio", rotational=True),
        Made(name="nvme0n1", attached="nvme"),
    ]
    disks = disks_of(make_machine(tmp_path, made))
    order = []
    while disks:
        order.append(chosen(disks, Wish(strategy="fastest", exclude_removable=False, require_empty=False)))
        disks = [disk for disk in disks if disk.path != order[-1]]
    names = ["nvme0n1", "vda", "sdg", "sdf", "sde", "sdd", "sdc", "sdb", "mmcblk0", "sda"]
    assert order == [f"/dev/{name}" for name in names]


def test_the_only_disk_needs_no_choice(five: list[Disk]) -> None:
    assert chosen([disk for disk in five if disk.path in ("/dev/sda", "/dev/sdb", "/dev/vda")], Wish()) == "/dev/vda"


def test_several_disks_and_no_choice_are_listed(five: list[Disk]) -> None:
    assert refused(five, Wish()) == (
        "expected one disk to install on or a choice between them, found 3 that can be taken\n"
        "  /dev/sda      500.0 GB  sata    ST500LM030-2E717D  gpt, 2 partitions          has data\n"
        "  /dev/sdb      64.0 GB   usb     DataTraveler 3.0   iso9660, dos, 1 partition  is the installation medium\n"
        "  /dev/sdc      256.0 GB  sata    INTEL SSDSC2KB25   empty                      can be taken\n"
        "  /dev/vda      20.0 GB   virtio  -                  empty                      can be taken\n"
        "  /dev/nvme0n1  256.0 GB  nvme    SAMSUNG MZVL2256   empty                      can be taken\n"
        "    say disk=PATH or disk.strategy=first, largest or fastest in the answers; nothing was written"
    )


def test_no_disk_at_all_is_said() -> None:
    assert refused([], Wish(strategy="first")) == (
        "expected a disk to install on, found none\n"
        "    does the installer's kernel have a driver for the disk? nothing was written"
    )


@pytest.mark.parametrize("wish", [Wish(strategy="largest", least=300 * GB), Wish(path="/dev/vda", least=300 * GB)])
def test_a_disk_that_is_too_small_is_not_taken(wish: Wish, five: list[Disk]) -> None:
    text = refused([disk for disk in five if disk.path == "/dev/vda"], wish)
    assert "/dev/vda  20.0 GB  virtio  -  empty  is too small, 300.0 GB are needed" in text


def test_a_disk_with_data_says_how_to_have_it_erased(five: list[Disk]) -> None:
    only = [disk for disk in five if disk.path == "/dev/sda"]
    for wish in (Wish(strategy="first"), Wish(path="/dev/sda")):
        text = refused(only, wish)
        assert "gpt, 2 partitions  has data" in text
        assert "to erase it, say disk.require-empty=false in the answers (oic.disk.require-empty=false)" in text


def test_a_path_without_a_disk_lists_those_that_there_are(five: list[Disk]) -> None:
    text = refused(five, Wish(path="/dev/sdz"))
    assert text.startswith("expected a disk at /dev/sdz, found no such disk\n  /dev/sda")


def test_a_removable_disk_is_taken_by_its_path_or_where_it_is_allowed(tmp_path: Path) -> None:
    disks = disks_of(make_machine(tmp_path, [Made(name="sdd", attached="usb")]))
    assert "is removable" in refused(disks, Wish(strategy="first"))
    assert "disk.exclude-removable=false" in refused(disks, Wish(strategy="first"))
    assert chosen(disks, Wish(strategy="first", exclude_removable=False)) == "/dev/sdd"
    assert chosen(disks, Wish(path="/dev/sdd")) == "/dev/sdd"


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (Made(name="sda", attached="sata", read_only=True), "is read-only"),
        (Made(name="sda", attached="sata", sector=4096), "has sectors of 4096 bytes, the image is for 512"),
        (Made(name="sda", attached="sata", holder="dm-0"), "is used by dm-0"),
    ],
)
def test_a_disk_that_cannot_be_written_is_not_taken(made: Made, reason: str, tmp_path: Path) -> None:
    disks = disks_of(make_machine(tmp_path, [made]))
    for wish in (Wish(strategy="first", require_empty=False), Wish(path="/dev/sda", require_empty=False)):
        assert reason in refused(disks, wish)


@pytest.mark.parametrize(
    ("command", "found"),
    [
        ("true", ""),
        ("mkfs.ext4 -q $disk", "ext4"),
        ("mkfs.vfat $disk", "vfat"),
        ("mkswap $disk", "swap"),
        ("echo ';' | sfdisk -q -X gpt $disk", "gpt"),
        ("echo ';' | sfdisk -q -X dos $disk", "dos"),
        # What is left of a table whose first half was overwritten
        ("echo ';' | sfdisk -q -X gpt $disk; dd if=/dev/zero of=$disk bs=1M count=1 conv=notrunc", "gpt"),
    ],
)
def test_what_is_on_a_disk_is_found(command: str, found: str, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    with disk.open("wb") as file:
        file.truncate(64 << 20)
    subprocess.run(["bash", "-c", f"disk={disk}; {command}"], capture_output=True, check=True)
    assert contents_of(Disk(path=str(disk), size=64 << 20)) == found


def test_a_disk_that_cannot_be_read_does_not_count_as_empty(tmp_path: Path) -> None:
    text = contents_of(Disk(path=str(tmp_path / "gone"), size=1))
    assert text.startswith("cannot be read: ")
    assert "No such file" in text


@pytest.mark.parametrize(
    ("size", "text"), [(999, "999 bytes"), (16_106_127_360, "16.1 GB"), (2 * 10**12, "2.0 TB"), (10**18, "1000.0 PB")]
)
def test_sizes_are_in_the_units_that_disks_are_sold_in(size: int, text: str) -> None:
    assert size_text(size) == text
