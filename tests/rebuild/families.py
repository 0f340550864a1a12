"""The values in which the tests of the package families differ; every test runs for each family.

The distribution of a family is a shipped one with fewer packages, as data (``OIC_DISTRIBUTIONS``); all code is real.
"""

from __future__ import annotations

import copy
import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from .place import PROJECT, STAGES
from .points import at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from .points import Point

Recipe = dict[str, Any]
TREE = frozenset({"system", "fs", "disk", "evidence"})
"""The stages that run if the tree changes, but neither the initramfs nor the kernel."""
SOLVED = frozenset({"solve", "download", "verify", "chroot", "rootfs"})
"""The stages that run if the lock changes; `chroot` and `rootfs` reuse layers whose packages are the same."""

_DISK: Recipe = {
    "size": "640MiB",
    "partitionTableType": "gpt",
    "partitions": [
        {
            "id": "boot",
            "type": "esp",
            "start": "1MiB",
            "end": "97MiB",
            "fsType": "fat32",
            "mountPoint": "/boot/efi",
            "mountOptions": "umask=0077",
        },
        {
            "id": "rootfs",
            "type": "linux-root-amd64",
            "start": "97MiB",
            "end": "600MiB",
            "fsType": "ext4",
            "mountPoint": "/",
        },
    ],
}
_SYSTEM: Recipe = {
    "hostname": "one",
    "kernel": {"cmdline": "console=ttyS0,115200"},
    "users": [{"name": "admin", "password": "change-me", "shell": "/bin/sh"}],
    "additionalFiles": [{"local": "files/motd", "final": "/etc/motd"}],
    "configurations": [{"cmd": "echo one > /etc/one"}],
}


@dataclass(frozen=True, kw_only=True)
class Family:
    """The facts about a package family that the tests need.

    * `packages`, `kernel`: all default packages of the reduced distribution;
    * `differs`: other fields for edits of `edits.EDITS`, by name;
    * `rich`, `rich_edits`: packages that some settings need, and edits below systemConfig with the stages that run;
    * `points`: further points at which builds are killed; `installing`, `generating`: two in the middle of a program;
    * `layers`: the number of layers in which a set is installed;
    * `quick`: the rows of the tests' tables that are not slow.
    """

    name: str
    os: str
    dist: str
    packages: tuple[str, ...]
    kernel: tuple[str, ...]
    differs: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    rich: tuple[str, ...]
    rich_edits: Mapping[str, tuple[Any, frozenset[str]]]
    points: tuple[Point, ...]
    installing: Point
    generating: Point
    layers: int
    quick: frozenset[str]

    def __str__(self) -> str:
        return self.name

    @property
    def recipe(self) -> Recipe:
        """Return a new copy of the recipe of this family, which the caller may change."""
        image = {"name": "small", "version": "1.0.0"}
        return copy.deepcopy({"image": image, "target": self.target, "disk": _DISK, "systemConfig": _SYSTEM})

    @property
    def target(self) -> Recipe:
        return {"os": self.os, "dist": self.dist, "arch": "x86_64", "imageType": "raw"}

    @property
    def rich_recipe(self) -> Recipe:
        recipe = self.recipe
        recipe["systemConfig"]["packages"] = list(self.rich)
        return recipe

    def make_distribution(self, place: Path, mirror: str = "") -> None:
        """Write the shipped distribution with only the packages that a kernel and an initramfs need."""
        name = f"{self.os}/{self.dist}"
        shutil.copytree(PROJECT / "oic/distributions" / name, place / name)
        path = place / name / "raw-x86_64.yml"
        data = yaml.safe_load(path.read_text())
        system = data["systemConfig"]
        system["packages"] = list(self.packages)
        system["kernel"]["packages"] = list(self.kernel)
        for other in ("services", "additionalFiles", "configurations"):
            system.pop(other, None)
        path.write_text(yaml.safe_dump(data))
        if mirror:
            facts = yaml.safe_load((path.parent / "distribution.yml").read_text())
            for repository in facts["repositories"]:  # a stand-in has other keys, with other fingerprints
                repository["keys"] = [key["key"] if isinstance(key, dict) else key for key in repository["keys"]]
            (path.parent / "distribution.yml").write_text(yaml.safe_dump({**facts, "mirror": mirror}))


DEB = Family(
    name="deb",
    os="debian",
    dist="debian12",
    packages=("initramfs-tools", "passwd"),
    kernel=("linux-image-cloud-amd64",),
    rich=("apt", "debian-archive-keyring", "systemd", "tzdata"),
    rich_edits={
        "services.enable": (["systemd-networkd"], TREE),
        "services.disable": (["systemd-networkd"], frozenset({"system", "evidence"})),
        "services.mask": (["systemd-networkd"], TREE),
        "timezone": ("Europe/Berlin", TREE),
        "packageSources": ("drop", TREE),
        "packages": (["apt", "debian-archive-keyring", "systemd"], SOLVED | TREE | {"initrd"}),
        "disk.partitions.1.grow": (True, SOLVED | TREE | {"initrd"}),  # systemd is there, sfdisk is added
        "disk.extendLastPartitionToFillDisk": (True, SOLVED | TREE | {"initrd"}),
    },
    points=(
        at("solve", "open", "sha256/", 2),
        at("solve", "open", "/solve.", delay=0.7),
        at("verify", "open", "sha256/", 90),
        at("rootfs", "open", "var/lib/dpkg", 20),
        at("rootfs", "subprocess.Popen", "dpkg", 2, delay=1.0),
        at("rootfs", "subprocess.Popen", "--configure", delay=0.7),
        at("initrd", "subprocess.Popen", "mkinitramfs", delay=0.5),
        at("initrd", "subprocess.Popen", "mkinitramfs", delay=4.0),
    ),
    installing=at("rootfs", "subprocess.Popen", "--configure", delay=1.0),
    generating=at("initrd", "subprocess.Popen", "mkinitramfs", delay=1.0),
    layers=2,
    quick=frozenset(
        {
            "systemConfig.hostname",
            "a file in /etc/modprobe.d written by a command",
            "systemConfig.kernel.cmdline",
            "a package that is already a dependency",
            "disk.partitions.1.end",
            "disk.partitions.1.fsLabel",
            "fs-subprocess.Popen-mke2fs-1+0.3s",
            "disk-os.rename-small-1.0.0.raw-1",
            "system-subprocess.Popen-_bin_sh-1",
            "trust.json",
            "system.json",
            "boot.json",
            "small-1.0.0.raw",
            "esp.img",
            "layer 0 of chroot",
            "layer 0 of system",
            "version of boot",
            "hostname killed before the record of system",
            "cmdline killed before the record of system",
            "Ctrl-C during fs",
            "SIGTERM during fs",
            "disk full during fs",
        }
    ),
)
RPM = Family(
    name="rpm",
    os="azure-linux",
    dist="azl3",
    packages=("azurelinux-release", "bash", "coreutils", "dracut", "filesystem", "shadow-utils", "systemd-udev"),
    kernel=("kernel",),
    differs={
        "systemConfig.scriptletsMayFail": {
            "direct": frozenset({"rootfs", "evidence"}),
            "ran": frozenset({"rootfs", "evidence"}),
        },
        "tools": {"value": "azl3"},
        "disk.partitions.1.grow": {"ran": SOLVED | TREE | {"initrd"}},
        "systemConfig.kernel.version": {"value": "6.6"},
        # its images have systemd-boot already
        "systemConfig.kernel.entries": {"direct": frozenset({"boot", "fs", "evidence"})},
        "target": {"direct": frozenset(STAGES) - {"download"}},  # which names packages by their digests
        "target.signedMetadata": {"value": False, "direct": frozenset({"metadata", "verify"}), "ran": None},
        # dracut reads the file, but copies nothing from it into an initramfs for any machine
        "a file in /etc/modprobe.d written by a command": {"ran": TREE | {"initrd"}},
        "systemConfig.locale": {"ran": TREE | {"initrd"}},
        "an additional package": {"ran": SOLVED | TREE | {"initrd", "boot"}},  # less, which dracut copies
        "systemConfig.recommends": {"ran": SOLVED | {"evidence"}},  # no package here has any
    },
    rich=("azurelinux-repos-shared", "tzdata"),
    rich_edits={
        "services.enable": (["debug-shell"], TREE),
        "services.disable": (["debug-shell"], frozenset({"system", "evidence"})),
        "services.mask": (["debug-shell"], TREE),
        "timezone": ("Europe/Berlin", TREE),
        "packageSources": ("drop", TREE),
        "packages": (["azurelinux-repos-shared"], SOLVED | TREE | {"initrd"}),
        "disk.extendLastPartitionToFillDisk": (True, SOLVED | TREE | {"initrd"}),
    },
    points=(
        at("verify", "subprocess.Popen", "gpg", 2),
        at("rootfs", "open", "sha256/", 30),
        at("rootfs", "open", "/held/", 3),
        at("rootfs", "subprocess.Popen", "--noplugins", delay=0.3),
        at("rootfs", "subprocess.Popen", "--noplugins", delay=1.5),
        at("rootfs", "subprocess.Popen", "--noplugins", delay=3.0),
        at("rootfs", "os.remove", "00-held.conf"),
        at("initrd", "subprocess.Popen", "dracut", delay=0.5),
        at("initrd", "subprocess.Popen", "dracut", delay=4.0),
        at("initrd", "subprocess.Popen", "dracut", delay=8.0),
    ),
    installing=at("rootfs", "subprocess.Popen", "--noplugins", delay=1.0),
    generating=at("initrd", "subprocess.Popen", "dracut", delay=1.0),
    layers=1,
    quick=frozenset(
        {
            "systemConfig.hostname",
            "systemConfig.kernel.cmdline",
            "a package that is already a dependency",
            "rootfs-subprocess.Popen---noplugins-1+1.5s",
            "initrd-subprocess.Popen-dracut-1+4.0s",
            "boot.json",
            "layer 0 of system",
            "disk full during rootfs",
        }
    ),
)
FAMILIES = (DEB, RPM)


def each(names: str, rows: Callable[[Family], Iterable[tuple[str, tuple[object, ...]]]]) -> pytest.MarkDecorator:
    """Run a test for each family with each of its rows, which are slow unless they are in the family's `quick`."""
    values = [
        pytest.param(family, *row, id=f"{family}-{name}", marks=() if name in family.quick else pytest.mark.slow)
        for family in FAMILIES
        for name, row in rows(family)
    ]
    return pytest.mark.parametrize(("family", *names.split()), values, indirect=["family"])
