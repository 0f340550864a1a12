"""Disks of many partitions, booted: of every file system, with logical ones under a BIOS, and sized by content."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from oic.boottest.vm import BIOS, Machine

from .booted import debian_kernels, said_by
from .conftest import Built

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.mirror, pytest.mark.boot]

ESP: dict[str, Any] = {"id": "esp", "type": "esp", "size": "160MiB", "fsType": "fat32", "mountPoint": "/boot/efi"}
ROOT: dict[str, Any] = {"id": "root", "type": "linux-root-amd64", "size": "900MiB", "fsType": "ext4", "mountPoint": "/"}
HOME: dict[str, Any] = {"id": "home", "type": "linux-home", "size": "100MiB", "fsType": "ext3", "mountPoint": "/home"}
SWAP: dict[str, Any] = {"id": "swap", "type": "linux-swap", "size": "64MiB"}
MANY = [
    ESP,
    ROOT,
    {"id": "var", "type": "linux-var", "size": "500MiB", "fsType": "ext3", "mountPoint": "/var"},
    {"id": "home", "type": "linux-home", "size": "200MiB", "fsType": "btrfs", "mountPoint": "/home"},
    SWAP,
    {"id": "opt", "type": "linux", "size": "64MiB", "fsType": "squashfs", "mountPoint": "/opt"},
    {"id": "data", "type": "linux", "size": "64MiB", "fsType": "erofs", "mountPoint": "/srv/data"},
    {"id": "more", "type": "linux", "end": "0", "fsType": "xfs", "mountPoint": "/srv/more"},
]
LOGICAL: list[dict[str, Any]] = [
    {"id": "boot", "type": "linux", "size": "200MiB", "fsType": "ext2", "mountPoint": "/boot", "flags": ["boot"]},
    SWAP,
    {"id": "opt", "type": "linux", "size": "32MiB", "fsType": "fat16", "mountPoint": "/opt"},
    ROOT,
    HOME,
    {"id": "data", "type": "linux", "end": "0", "fsType": "ext4", "mountPoint": "/srv"},
]
BY_CONTENT = [
    {**ESP, "size": "auto"},
    {"id": "doc", "type": "linux", "size": "auto", "fsType": "squashfs", "mountPoint": "/usr/share/doc"},
    {"id": "var", "type": "linux-var", "size": "auto", "fsType": "ext3", "mountPoint": "/var"},
    {"id": "root", "type": "linux-root-amd64", "end": "0", "fsType": "ext4", "mountPoint": "/"},
]


def build(place: Path, name: str, disk: dict[str, Any], **system: Any) -> Built:
    """Build a raw image of Debian 12 with a disk whose table sfdisk finds no fault in."""
    image = build_only(place, name, disk, **system)
    verdict = subprocess.run(["sfdisk", "--verify", image.raw], capture_output=True, text=True, check=True).stdout
    assert "No errors detected." in verdict
    return image


def build_only(place: Path, name: str, disk: dict[str, Any], **system: Any) -> Built:
    """Build an image of Debian 12 with a disk."""
    image = Built(name, place, None)
    image.recipe.parent.mkdir(exist_ok=True)
    recipe = {
        "image": {"name": name, "version": "1.0.0"},
        "target": {"os": "debian", "dist": "debian12", "arch": "x86_64", "imageType": "raw"},
        "disk": disk,
        "systemConfig": {
            "kernel": {"packages": debian_kernels()[-1:], "cmdline": "console=ttyS0,115200"},
            "users": [{"name": "root", "password": "secret"}],
            **system,
        },
    }
    image.recipe.write_text(yaml.safe_dump(recipe, sort_keys=False))
    image.doit("build")
    return image


def mounted(text: str) -> dict[str, str]:
    """Return the type of what is mounted where, from what findmnt says."""
    found = {}

    def look(entries: list[dict[str, Any]]) -> None:
        for entry in entries:
            found[entry["target"]] = entry["fstype"]
            look(entry.get("children", []))

    look(json.loads(text)["filesystems"])
    return found


def test_every_file_system_is_mounted_with_its_owners_links_and_attributes(tmp_path: Path) -> None:
    commands = [
        {"cmd": "cp /bin/true /opt/one && ln /opt/one /opt/two && chown 1234:5678 /opt/one"},
        {"cmd": "mkdir -p /srv/data && echo content > /srv/data/file && mkdir -m 700 /home/kept"},
    ]
    image = build(tmp_path, "many", {"size": "3GiB", "partitions": MANY}, configurations=commands)
    asked = [
        "findmnt --json --real",
        "stat -c '%u %g %h' /opt/one; cat /srv/data/file; stat -c %a /home/kept; swapon --show=SIZE --noheadings",
        "touch /home/x /var/x /srv/more/x && ! touch /opt/x 2>&1",
        "systemctl is-system-running --wait",
    ]
    mounts, kept, writable, state = said_by(image.raw, Machine(), tmp_path / "log", asked)
    wanted = {"/": "ext4", "/var": "ext3", "/home": "btrfs", "/opt": "squashfs", "/srv/data": "erofs"}
    assert {**wanted, "/srv/more": "xfs", "/boot/efi": "vfat"}.items() <= mounted(mounts).items()
    assert kept.split() == ["1234", "5678", "2", "content", "700", "64M"]
    assert "Read-only" in writable
    assert state == "running"
    assert image.json("many-1.0.0.manifest.json")["reproducible"] is False


@pytest.mark.slow
def test_a_bios_boots_from_an_mbr_whose_root_is_a_logical_partition(tmp_path: Path) -> None:
    disk = {"size": "2GiB", "partitionTableType": "mbr", "partitions": LOGICAL}
    image = build(tmp_path, "logical", disk, bootloader={"bootType": "legacy", "provider": "grub"})
    image.doit("boot-test")


@pytest.mark.slow
def test_a_disk_sized_by_its_content_boots_and_has_the_margin(tmp_path: Path) -> None:
    image = build(tmp_path, "auto", {"size": "auto", "partitions": BY_CONTENT})
    free, state = said_by(
        image.raw,
        Machine(),
        tmp_path / "log",
        ["df -B1M --output=avail / | tail -1", "systemctl is-system-running --wait"],
    )
    assert int(free) >= 50
    assert state == "running"


@pytest.mark.slow
@pytest.mark.parametrize("table", ["gpt", "mbr"])
def test_on_a_larger_device_the_last_partition_and_its_files_grow(table: str, tmp_path: Path) -> None:
    gpt: list[dict[str, Any]] = [ESP, {**ROOT, "grow": True}]
    mbr: list[dict[str, Any]] = [*LOGICAL[:4], {**HOME, "grow": True}]
    disk: dict[str, Any] = {"size": "auto", "partitionTableType": table, "partitions": gpt if table == "gpt" else mbr}
    system = {} if table == "gpt" else {"bootloader": {"bootType": "legacy", "provider": "grub"}}
    image = build(tmp_path, f"grows-{table}", disk, **system)
    before = image.raw.stat().st_size
    with image.raw.open("r+b") as raw:
        raw.truncate(before + (1 << 30))
    asked = [
        f"findmnt --noheadings --bytes --output SIZE {'/' if table == 'gpt' else '/home'}",
        "systemctl is-system-running --wait",
    ]
    machine = Machine(keep=True) if table == "gpt" else Machine(firmware=BIOS, keep=True)
    for _ in range(2):  # the second time, there is nothing to do
        size, state = said_by(image.raw, machine, tmp_path / "log", asked)
        assert int(size) > 1 << 30, "a GiB was added"
        assert state == "running"
    done = subprocess.run(["sfdisk", "--verify", image.raw], capture_output=True, text=True, check=True)
    assert "No errors detected." in done.stdout
    assert done.stderr == ""


@pytest.mark.slow
def test_other_formats_boot_as_they_are_and_fstab_names_every_partition_by_uuid(tmp_path: Path) -> None:
    artifacts = [{"type": "qcow2"}, {"type": "vmdk"}]
    image = build_only(
        tmp_path, "formats", {"size": "1400MiB", "partitions": [ESP, ROOT, SWAP], "artifacts": artifacts}
    )
    by_id = "test -b /dev/disk/by-partuuid/${source#PARTUUID=} || exit 1"
    asked = [
        f"grep -v '^#' /etc/fstab | while read -r source at _; do {by_id}; echo $at; done",
        "findmnt --verify",
        "systemctl is-system-running --wait",
    ]
    for kind in ("qcow2", "vmdk"):
        disk = image.raw.with_suffix(f".{kind}")
        places, _, state = said_by(disk, Machine(image_format=kind), tmp_path / f"log-{kind}", asked)
        assert sorted(places.split()) == ["/", "/boot/efi", "none"]
        assert state == "running"
    assert not image.raw.exists()


def test_what_does_not_fit_says_where_the_space_went(tmp_path: Path) -> None:
    with pytest.raises(AssertionError) as caught:
        build(tmp_path, "small", {"size": "700MiB", "partitions": [ESP, {**ROOT, "size": "200MiB"}]})
    said = str(caught.value)
    assert "MiB too few" in said
    assert "largest directories: /usr/lib " in said
    assert "largest packages: linux-image-6.1" in said
