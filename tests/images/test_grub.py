"""Images that boot by GRUB, under a BIOS and under Secure Boot, the latter with two kernels."""

from __future__ import annotations

import subprocess
import time
from typing import TYPE_CHECKING

import pytest
import yaml

from oic.boottest.vm import SECURE_BOOT, Machine, started

from .booted import TIMEOUT, debian_kernels, said_by
from .conftest import Built

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = [pytest.mark.mirror, pytest.mark.boot]

ESP = {"id": "esp", "type": "esp", "size": "160MiB", "fsType": "fat32", "mountPoint": "/boot/efi"}
GRUB = "/EFI/BOOT/grubx64.efi"
SAME_AS_SIGNED = (
    "cmp /boot/efi/EFI/BOOT/BOOTX64.EFI /usr/lib/shim/shimx64.efi.signed"
    f" && cmp /boot/efi{GRUB} /usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed"
)
"""The ESP has shim as Microsoft signed it, and GRUB as Debian did."""
ROOT = {"id": "root", "type": "linux-root-amd64", "size": "1000MiB", "fsType": "ext4", "mountPoint": "/"}


@pytest.fixture
def build(tmp_path: Path) -> Callable[..., Built]:
    """Build an image of Debian 12 that boots as the words say."""

    def built(name: str, *partitions: dict[str, str], kernels: list[str], **bootloader: str) -> Built:
        image = Built(name, tmp_path, None)
        image.recipe.parent.mkdir(exist_ok=True)
        recipe = {
            "image": {"name": name, "version": "1.0.0"},
            "target": {"os": "debian", "dist": "debian12", "arch": "x86_64", "imageType": "raw"},
            "disk": {"size": "1280MiB", "partitions": list(partitions)},
            "systemConfig": {
                "bootloader": bootloader,
                "kernel": {"packages": kernels, "cmdline": "console=ttyS0,115200 oic.word=1"},
                "users": [{"name": "root", "password": "secret"}],
            },
        }
        image.recipe.write_text(yaml.safe_dump(recipe, sort_keys=False))
        image.doit("build")
        return image

    return built


def release(package: str) -> str:
    return package.removeprefix("linux-image-")


def test_a_bios_boots_it(build: Callable[..., Built]) -> None:
    old = debian_kernels()[-2]
    image = build("bios", ROOT, kernels=[old], bootType="legacy", provider="grub")
    image.doit("boot-test")
    assert image.json("boot-test.json")["kernel"] == release(old)


def test_secure_boot_boots_the_newest_of_two_kernels(build: Callable[..., Built], tmp_path: Path) -> None:
    *_, old, new = debian_kernels()
    image = build("efi", ESP, ROOT, kernels=[old, new], provider="grub")
    asked = [
        "uname -r",
        "cat /boot/grub/grub.cfg",
        "dmesg | grep secureboot:",
        SAME_AS_SIGNED,
        "systemctl is-system-running --wait",
    ]
    version, menu, secure, same, state = said_by(image.raw, Machine(firmware=SECURE_BOOT), tmp_path / "log", asked)
    assert (version, same, state) == (release(new), "", "running")
    assert secure.endswith("Secure boot enabled")
    assert menu.index(f"with Linux {release(new)}") < menu.index(f"with Linux {release(old)}")
    refused_with_another_grub(image.raw, tmp_path)


def refused_with_another_grub(raw: Path, place: Path) -> None:
    """Change GRUB on the ESP of a disk: shim, which the firmware starts, refuses it."""
    esp, file = f"{raw}@@1M", place / "grubx64.efi"
    subprocess.run(["mcopy", "-n", "-i", esp, f"::{GRUB}", file], check=True)
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    subprocess.run(["mcopy", "-o", "-i", esp, file, f"::{GRUB}"], check=True)
    with started(raw, Machine(firmware=SECURE_BOOT), credentials={}, log=place / "refused") as console:
        console.dead_ends = {}
        wanted = {"refused": r"Security Violation|Access Denied", "kernel": r"Linux version"}
        assert console.expect("what shim says", wanted, time.monotonic() + TIMEOUT).lastgroup == "refused"
