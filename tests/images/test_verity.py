"""A root that is only read and verified by dm-verity, booted, with state that is kept over a reboot."""

from __future__ import annotations

import functools
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from oic.boottest.boot import boot_test
from oic.boottest.failure import BootError
from oic.boottest.vm import Machine
from oic.provider.deb.family import list_command

from .booted import said_by
from .conftest import Built

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = [pytest.mark.mirror, pytest.mark.boot]

ESP: dict[str, Any] = {"id": "esp", "type": "esp", "size": "160MiB", "fsType": "fat32", "mountPoint": "/boot/efi"}
ROOT: dict[str, Any] = {"id": "root", "type": "linux", "size": "1000MiB", "fsType": "ext4", "mountPoint": "/"}
HASHES: dict[str, Any] = {"id": "hash", "type": "linux", "size": "16MiB"}
STATE: dict[str, Any] = {"id": "data", "type": "linux", "end": "0", "fsType": "ext4", "mountPoint": "/opt"}
PACKED = [
    {**ESP, "size": "auto"},
    {**ROOT, "size": "auto", "fsType": "squashfs"},
    {"id": "data", "type": "linux", "size": "300MiB", "fsType": "ext4", "mountPoint": "/opt"},
]
BOOT: dict[str, Any] = {"id": "boot", "type": "linux", "size": "200MiB", "fsType": "ext4", "mountPoint": "/boot"}
DISKS: dict[str, dict[str, Any]] = {
    "ext4": {"size": "2GiB", "partitions": [ESP, ROOT, HASHES, STATE]},
    "squashfs": {"size": "auto", "partitions": PACKED},
    "grub": {"size": "2GiB", "partitions": [ESP, BOOT, ROOT, HASHES, STATE]},
}

STATUS = "veritysetup status root"
WRITE = "for place in /etc /var /home /root /srv /opt; do echo kept > $place/kept || exit 1; done; sync"
READ = "cat /etc/kept /var/kept /home/kept /root/kept /srv/kept /opt/kept"
IDENTITY = "cat /etc/machine-id /etc/ssh/ssh_host_ed25519_key.pub 2>/dev/null || cat /etc/machine-id"
FIRST = [
    STATUS,
    "findmnt --noheadings --output FSTYPE,OPTIONS /",
    "! touch /usr/written 2>&1",
    "systemctl is-system-running --wait",
    IDENTITY,
    WRITE,
    "test $(findmnt --noheadings --output FSTYPE /tmp) = tmpfs && touch /tmp/written",
    "! journalctl --boot --output=cat | grep 'fsck failed'",
]


def debian12(place: Path, way: str) -> Built:
    image = Built(f"verity-{way}", place, None)
    image.recipe.parent.mkdir()
    recipe = {
        "image": {"name": image.name, "version": "1.0.0"},
        "target": {"os": "debian", "dist": "debian12", "arch": "x86_64", "imageType": "raw"},
        "disk": DISKS[way],
        "systemConfig": {
            "packages": ["openssh-server"],
            "immutability": {"enabled": True},
            "bootloader": {"bootType": "efi", "provider": "grub" if way == "grub" else "systemd-boot"},
            "kernel": {"packages": ["linux-image-cloud-amd64"], "cmdline": "console=ttyS0,115200"},
        },
    }
    image.recipe.write_text(yaml.safe_dump(recipe, sort_keys=False))
    image.doit("build")
    return image


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Built]:
    """Build an image of Debian 12; twice asked for, once built."""
    return functools.cache(lambda way: debian12(tmp_path_factory.mktemp(way), way))


@pytest.mark.parametrize(
    "name",
    [
        "ext4",
        pytest.param("squashfs", marks=pytest.mark.slow),
        pytest.param("grub", marks=pytest.mark.slow),
        pytest.param("emt3-minimal", marks=pytest.mark.slow),
        pytest.param("elxr12-minimal", marks=pytest.mark.slow),
        pytest.param("debian13-minimal", marks=pytest.mark.slow),
    ],
)
def test_a_verified_root_is_read_only_and_state_is_kept(
    name: str, built: Callable[[str], Built], own: Callable[[str], Built], tmp_path: Path
) -> None:
    image = own(name) if name in DISKS else built(name)
    check_hashes(image, tmp_path)
    disk, log, machine = tmp_path / "disk.raw", tmp_path / "log", Machine(keep=True)
    shutil.copyfile(image.raw, disk)
    status, root, _, state, identity, *_ = said_by(disk, machine, log, FIRST)
    assert re.search(r"status: +verified", status)
    assert re.search(rf"root hash: +{root_hash(image)}", status)
    assert re.match(r"\S+ +ro[, ]", root)
    assert state == "running"
    again = said_by(disk, machine, log, [STATUS, READ, IDENTITY, "touch /opt/.state/factory-reset; sync"])
    assert again[1].split() == ["kept"] * 6
    assert again[2] == identity
    _, reset, other, kept, state = said_by(
        disk, machine, log, [STATUS, f"! {READ} 2>/dev/null", IDENTITY, "cat /opt/kept", FIRST[3]]
    )
    assert reset.split() == ["kept"]  # what is on the partition beside the state stays
    assert kept == "kept"
    assert other.split()[0] != identity.split()[0]
    assert state == "running"


def test_a_changed_block_cannot_be_read_and_the_boot_test_says_so(own: Callable[[str], Built], tmp_path: Path) -> None:
    image, disk = own("ext4"), tmp_path / "disk.raw"
    shutil.copyfile(image.raw, disk)
    (root,) = (entry for entry in image.json("image.json")["partitions"] if entry["id"] == "root")
    file = image.directory / "verity/root.img"
    blocks = subprocess.run(
        ["debugfs", "-R", "blocks /usr/share/common-licenses/GPL-3", file], capture_output=True, text=True, check=True
    ).stdout.split()
    with disk.open("r+b") as raw:
        raw.seek(root["offset"] + int(blocks[0]) * 4096 + 100)
        (byte,) = raw.read(1)
        raw.seek(-1, 1)
        raw.write(bytes([byte ^ 1]))
    with pytest.raises(BootError, match=r"expected every block of the root to be as its hash says.*\n?.*corrupt"):
        boot_test(
            disk,
            Machine(),
            expected=image.packages(),
            list_command=list_command(),
            users=[],
            log=tmp_path / "log",
            report=lambda _: None,
            root_hash=root_hash(image),
        )


def root_hash(image: Built) -> str:
    found = image.json("verity.json")["rootHash"]["hexadecimal"]
    assert re.fullmatch("[0-9a-f]{64}", found)
    return str(found)


def check_hashes(image: Built, place: Path) -> None:
    """Hold root and hash tree, as they are in the disk, against the root hash, by veritysetup itself."""
    table = subprocess.run(["sfdisk", "--json", image.raw], capture_output=True, text=True, check=True).stdout
    entries = yaml.safe_load(table)["partitiontable"]["partitions"]
    digest = root_hash(image)
    by_uuid = {entry["uuid"].lower().replace("-", ""): entry for entry in entries}
    files = []
    for half in (digest[:32], digest[32:]):
        entry, file = by_uuid[half], place / half
        span = ["bs=1M", f"skip={entry['start'] // 2048}", f"count={entry['size'] // 2048}", "conv=sparse"]
        subprocess.run(["dd", f"if={image.raw}", f"of={file}", *span, "status=none"], check=True)
        files.append(file)
    subprocess.run(["veritysetup", "verify", *files, digest], check=True)
    with files[0].open("r+b") as root:
        root.seek(1 << 20)
        byte = root.read(1)
        root.seek(1 << 20)
        root.write(bytes([byte[0] ^ 1]))
    refused = subprocess.run(["veritysetup", "verify", *files, digest], capture_output=True, check=False)
    assert refused.returncode != 0
    for file in files:
        file.unlink()
