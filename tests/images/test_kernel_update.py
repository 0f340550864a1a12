"""A kernel that the image's own package manager installs while it runs is the one that boots next."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from oic.boottest.vm import BIOS, UEFI, Disk, Machine

from .booted import debian_kernels, install_in, said_by
from .conftest import Built

if TYPE_CHECKING:
    from pathlib import Path

    from oic.boottest.vm import Firmware

pytestmark = [pytest.mark.mirror, pytest.mark.boot, pytest.mark.slow]

ESP = {"id": "esp", "type": "esp", "size": "256MiB", "fsType": "fat32", "mountPoint": "/boot/efi"}
ROOT = {"id": "root", "type": "linux-root-amd64", "size": "1100MiB", "fsType": "ext4", "mountPoint": "/"}
WAYS: dict[str, tuple[dict[str, Any], dict[str, Any], list[dict[str, str]], Firmware]] = {
    "grub-bios": ({"bootloader": {"bootType": "legacy", "provider": "grub"}}, {}, [ROOT], BIOS),
    "entries": ({}, {"entries": True}, [ESP, ROOT], UEFI),
}
FEW_MODULES = [
    {"final": "/etc/initramfs-tools/conf.d/few", "content": "MODULES=list\n"},
    {"final": "/etc/initramfs-tools/modules", "content": "virtio_pci\nvirtio_blk\next4\n"},
]
"""All that this machine does not need makes the initramfs take a quarter of an hour under emulation."""
TOLD = "console=ttyS0,115200 oic.word=1"
REBOOTED = ["uname -r", "cat /proc/cmdline", "systemctl is-system-running --wait"]


def release(package: str) -> str:
    return package.removeprefix("linux-image-")


def repository(place: Path, package: str) -> Path:
    """Return a disk with a repository of one package of Debian's, from the host's mirror."""
    folder, disk = place / "repository", place / "repository.img"
    folder.mkdir()
    subprocess.run(["apt-get", "download", package], cwd=folder, check=True, capture_output=True)
    done = subprocess.run(["apt-ftparchive", "packages", "."], cwd=folder, check=True, capture_output=True)
    (folder / "Packages").write_bytes(done.stdout)
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-d", folder, disk, "128M"], check=True)
    return disk


@pytest.mark.parametrize("way", WAYS)
def test_a_kernel_that_comes_later_boots(way: str, tmp_path: Path) -> None:
    *_, old, new = debian_kernels()
    system, kernel, partitions, firmware = WAYS[way]
    image = Built(f"updated-{way}", tmp_path, None)
    image.recipe.parent.mkdir()
    kernel = {"packages": [old], "cmdline": TOLD, **kernel}
    users = [{"name": "root", "password": "secret"}]
    recipe = {
        "image": {"name": image.name, "version": "1.0.0"},
        "target": {"os": "debian", "dist": "debian12", "arch": "x86_64", "imageType": "raw"},
        "disk": {"size": "1500MiB", "partitions": partitions},
        "systemConfig": {**system, "kernel": kernel, "users": users, "additionalFiles": FEW_MODULES},
    }
    image.recipe.write_text(yaml.safe_dump(recipe, sort_keys=False))
    image.doit("build")
    machine = Machine(firmware=firmware, disks=(Disk(image=repository(tmp_path, new)),), keep=True)
    prepare = [
        "uname -r",
        "mount -o ro /dev/vdb /mnt && rm -f /etc/apt/sources.list.d/* /etc/apt/sources.list",
        "echo 'deb [trusted=yes] file:/mnt ./' > /etc/apt/sources.list && apt-get update 2>&1",
    ]
    install = f"DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends {new}"
    said = install_in(image.raw, machine, tmp_path / "log", prepare, install)
    assert said[0] == release(old)
    version, told, state = said_by(image.raw, machine, tmp_path / "log", REBOOTED)
    assert version == release(new)
    assert told.endswith(f"rw {TOLD}")
    assert state == "running"
