"""A kernel that dnf installs in a running image of the rpm family is the one that boots next, by GRUB."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from e2e.tiny_rpm import TinyRpm
from provider.rpm.made import header_of
from standin.build import built
from standin.catalogue import read_catalogue
from standin.debian import Deb

from oic.boottest.vm import BIOS, Machine

from .booted import debian_kernels, install_in, said_by
from .conftest import Built
from .serving import PUBLIC, azure, forwarded, keys, server, trusting

if TYPE_CHECKING:
    from net.mirror import Mirror as Server
    from provider.rpm.keys import Key
    from standin.fixtures import Standin

__all__ = ["keys", "server"]

pytestmark = [pytest.mark.mirror, pytest.mark.boot, pytest.mark.slow]

ROOT = {"id": "root", "type": "linux-root-amd64", "size": "1700MiB", "fsType": "ext4", "mountPoint": "/"}
TOLD = "console=ttyS0,115200 oic.word=1"
MODULE = "dummy"
DRACUT_MODULES = "base bash dracut-systemd fs-lib kernel-modules rootfs-block systemd systemd-initrd udev-rules"
FEW_DRACUT_MODULES = {
    "final": "/etc/dracut.conf.d/50-few.conf",
    "content": f'dracutmodules+=" {DRACUT_MODULES} "\ncompress="gzip -n -1"\n',
}
"""What this machine does not need takes half an hour under emulation."""
OLDER = "6.6.130.1"


def older_kernel(place: Path, package: str) -> Path:
    """Return the stand-in's package of an older kernel of Debian's."""
    place.mkdir()
    subprocess.run(["apt-get", "download", package], cwd=place, check=True, capture_output=True)
    (file,) = place.glob("*.deb")
    deb = Deb(name=package, version="0-1", sha256=hashlib.sha256(file.read_bytes()).hexdigest(), file=file)
    catalogue = read_catalogue()
    entries = catalogue.complete([*catalogue.roots(), package], "azl3")
    (entry,) = [replace(one, version=OLDER) for one in entries if one.name == "kernel"]
    return built([entry], {package: deb}, place / "built")[entry]


def build(place: Path, url: str, key: Path, standin: Standin) -> Built:
    """Build an image that boots by GRUB, whose kernel comes from the repository at `url`."""
    mirror, trust = azure(standin, place), trusting(place)
    image = Built("updated", place, mirror)
    recipe = {
        "image": {"name": image.name, "version": "1.0.0"},
        "target": {"arch": "x86_64", "imageType": "raw", **mirror.target},
        "disk": {"size": "1800MiB", "partitionTableType": "mbr", "partitions": [ROOT]},
        "packageRepositories": [{"codename": "vendor", "url": url, "priority": 600, "pkey": str(key)}],
        "systemConfig": {
            "bootloader": {"bootType": "legacy", "provider": "grub"},
            "kernel": {"cmdline": TOLD, "enableExtraModules": MODULE},
            "users": [{"name": "root", "password": "secret"}],
            "excludePackages": ["cloud-init", "cloud-utils-growpart", "hyperv-daemons"],
            "configurations": trust["configurations"],
            "additionalFiles": [*trust["additionalFiles"], FEW_DRACUT_MODULES],
        },
    }
    image.recipe.parent.mkdir()
    image.recipe.write_text(yaml.safe_dump(recipe, sort_keys=False))
    image.doit("build")
    return image


def test_a_kernel_that_dnf_upgrades_to_boots(tmp_path: Path, server: Server, standin: Standin, keys: list[Key]) -> None:
    (newer,) = standin.folders["azl3"].glob("Packages/k/kernel-6*.rpm")
    (new,) = re.findall(r"/boot/vmlinuz-(\S+)", header_of(newer, "[%{FILENAMES}\n]"))
    old = [name for name in debian_kernels() if not name.endswith(new)][-1]
    kernels = TinyRpm(mirror=server, packages={}, key=keys[0], place=tmp_path / "vendor", base="/vendor")
    older = keys[0].sign(older_kernel(tmp_path / "older", old)).read_bytes()
    kernels.publish(revision=1, older=older)
    image = build(tmp_path, server.url("/vendor"), keys[0].home / PUBLIC, standin)
    signed = keys[0].sign(Path(shutil.copy(newer, tmp_path / "newer.rpm"))).read_bytes()
    kernels.publish(revision=2, newer=signed)
    machine, log = Machine(firmware=BIOS, keep=True, network=True), tmp_path / "log"
    upgrade = "dnf -y --disablerepo=azurelinux-official-base upgrade kernel"
    said = install_in(image.raw, machine, log, ["uname -r", forwarded(server)], upgrade)
    assert old.endswith(said[0])
    asked = [
        "uname -r",
        "cat /proc/cmdline",
        f"test -d /sys/module/{MODULE}",
        "stat -c %a /boot/grub2/grub.cfg",
        "systemctl is-system-running --wait",
    ]
    booted, told, _, mode, state = said_by(image.raw, machine, log, asked)
    assert booted == new
    assert told.endswith(f"rw {TOLD}")
    assert mode == "400"
    assert state == "running"
