"""An image that boots by boot loader entries in place of a unified kernel image, with two kernels."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
import yaml

from oic.boottest.vm import Machine

from .booted import debian_kernels, said_by
from .conftest import Built

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.mirror, pytest.mark.boot, pytest.mark.slow]

PARTITIONS = [
    {"id": "esp", "type": "esp", "size": "256MiB", "fsType": "fat32", "mountPoint": "/boot/efi"},
    {"id": "root", "type": "linux-root-amd64", "size": "1000MiB", "fsType": "ext4", "mountPoint": "/"},
]


def release(package: str) -> str:
    return package.removeprefix("linux-image-")


def test_the_newest_kernel_boots_and_the_images_own_tools_know_the_entries(tmp_path: Path) -> None:
    *_, old, new = debian_kernels()
    image = Built("entries", tmp_path, None)
    image.recipe.parent.mkdir(exist_ok=True)
    recipe = {
        "image": {"name": "entries", "version": "1.0.0"},
        "target": {"os": "debian", "dist": "debian12", "arch": "x86_64", "imageType": "raw"},
        "disk": {"size": "1400MiB", "partitions": PARTITIONS},
        "systemConfig": {
            "kernel": {"packages": [old, new], "cmdline": "console=ttyS0,115200 oic.word=1", "entries": True},
            "users": [{"name": "root", "password": "secret"}],
        },
    }
    image.recipe.write_text(yaml.safe_dump(recipe, sort_keys=False))
    image.doit("build")
    entry = f"/boot/efi/loader/entries/debian-{release(old)}.conf"
    asked = [
        "uname -r; grep -c oic.word=1 /proc/cmdline",
        "bootctl list --no-pager",
        f"cp {entry} /tmp/made; kernel-install remove {release(old)}; ! test -e {entry}",
        f"kernel-install add {release(old)} /boot/vmlinuz-{release(old)}; sed /^#/d {entry} | diff /tmp/made -",
        "systemctl is-system-running --wait",
    ]
    booted, menu, _, differs, state = said_by(image.raw, Machine(), tmp_path / "log", asked)
    assert booted.split() == [release(new), "1"]
    assert re.findall(r"title: (.*)", menu)[:2] == [
        f"Debian GNU/Linux 12 (bookworm) ({release(new)}) (default) (selected)",
        f"Debian GNU/Linux 12 (bookworm) ({release(old)})",
    ]
    assert differs == "", "the image's own kernel-install writes the same entry"
    assert state == "running"
