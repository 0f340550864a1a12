"""ISO images, booted in qemu: they install without a person, and what they installed boots without the medium."""

from __future__ import annotations

import re
import subprocess
import time
from contextlib import nullcontext
from typing import TYPE_CHECKING

import pytest

from oic.boottest.boot import CREDENTIALS, PROBE, PROBE_PASSWORD, await_login
from oic.boottest.failure import BootError
from oic.boottest.installing import install
from oic.boottest.session import log_in
from oic.boottest.vm import BIOS, UEFI, Disk, Firmware, Machine, started
from oic.files import digest_of_file

from .booted import TIMEOUT, said_by

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .conftest import Built

pytestmark = [pytest.mark.mirror, pytest.mark.boot]
GIB = 1 << 30
ASKED = [
    "systemctl is-system-running --wait || ! systemctl --failed --plain --no-legend",
    "cat /proc/sys/kernel/hostname",
    "findmnt -rno TARGET,SIZE -b --real",
]

HOST_KEY = "/etc/ssh/ssh_host_ed25519_key.pub"
IDENTITY = ["cat /etc/machine-id", f"until test -s {HOST_KEY}; do sleep 1; done; ssh-keygen -lf {HOST_KEY}"]
LIVE = ["systemctl is-system-running --wait", "findmnt -no FSTYPE /", "touch /x && ls /x"]


def iso_of(image: Built) -> Path:
    return image.directory / f"{image.name}-1.0.0.iso"


def empty(path: Path, size: int = 4 * GIB) -> Path:
    with path.open("wb") as file:
        file.truncate(size)
    return path


def medium_of_answers(place: Path, answers: str) -> Path:
    """Make a small disk that the installer reads answers from: by its label."""
    (place / "oic-answers").write_text(answers)
    image = empty(place / "answers", 8 << 20)
    subprocess.run(["mkfs.vfat", "-n", "OIC-ANSWERS", image], check=True, capture_output=True)
    subprocess.run(["mcopy", "-i", image, place / "oic-answers", "::"], check=True)
    return image


SCENARIOS = [
    ("debian12-iso", UEFI, "cd", "virtio", "debian"),
    ("debian12-bios-iso", BIOS, "cd", "virtio", "edge-7"),
    ("debian12-bios-iso", BIOS, "stick", "sata", "edge-7"),
    ("azl3-hwe-iso", UEFI, "cd", "sata", "azl3"),
    ("azl3-grub-iso", UEFI, "stick", "sata", "azl3"),
    ("azl3-bios-iso", BIOS, "cd", "sata", "azl3"),
    ("emt3-iso", UEFI, "virtio", "virtio", "emt"),  # the kernel of the stand-ins knows no other disks
    ("elxr12-iso", UEFI, "stick", "sata", "elxr"),
    ("debian13-iso", UEFI, "cd", "nvme", "debian"),
]


@pytest.mark.parametrize(
    ("name", "firmware", "medium_is", "bus", "hostname"),
    [
        pytest.param(*row, id=f"{row[0]}-{row[2]}-{row[3]}", marks=() if row[0] == "debian12-iso" else pytest.mark.slow)
        for row in SCENARIOS
    ],
)
def test_it_installs_and_what_it_installed_boots_without_the_medium(
    name: str,
    firmware: Firmware,
    medium_is: str,
    bus: str,
    hostname: str,
    built: Callable[[str], Built],
    tmp_path: Path,
) -> None:
    image, disk = built(name), empty(tmp_path / "disk", 8 * GIB)
    machine = Machine(firmware=firmware, medium=iso_of(image), medium_is=medium_is, bus=bus, keep=True)
    install(disk, machine, tmp_path / "install.log", 3 * TIMEOUT, lambda _: None)
    verdict = subprocess.run(["sfdisk", "--verify", disk], capture_output=True, text=True, check=True).stdout
    assert "No errors detected." in verdict
    said = said_by(disk, Machine(firmware=firmware, bus=bus), tmp_path / "boot.log", ASKED)
    assert said[0] == "running"
    assert said[1] == hostname
    sizes = {line.split()[0]: int(line.split()[1]) for line in said[2].splitlines()}
    assert sizes["/srv" if "/srv" in sizes else "/"] > 6 * GIB, "the last partition was enlarged to the disk"


@pytest.mark.slow
def test_an_image_that_uefi_boots_is_not_installed_on_a_machine_with_a_bios(
    built: Callable[[str], Built], tmp_path: Path
) -> None:
    image, disk = built("azl3-hwe-iso"), empty(tmp_path / "disk")
    machine = Machine(firmware=BIOS, medium=iso_of(image), medium_is="stick", keep=True)
    with pytest.raises(BootError, match="expected a machine that was started by UEFI"):
        install(disk, machine, tmp_path / "install.log", 3 * TIMEOUT, lambda _: None)
    assert disk.stat().st_blocks == 0, "nothing was written"


@pytest.mark.parametrize(
    ("firmware", "on"),
    [pytest.param(UEFI, "cd", id="uefi-cd", marks=pytest.mark.slow), pytest.param(BIOS, "stick", id="bios-stick")],
)
def test_it_runs_live_and_touches_no_disk(
    firmware: Firmware,
    on: str,
    built: Callable[[str], Built],
    tmp_path: Path,
) -> None:
    image, disk = built("debian12-live"), empty(tmp_path / "disk")
    machine = Machine(firmware=firmware, medium=iso_of(image), medium_is=on, keep=True)
    start = time.monotonic()
    with started(disk, machine, credentials=CREDENTIALS, log=tmp_path / "live.log") as console:
        await_login(console, start, start + TIMEOUT, lambda _: None)
        session = log_in(console, PROBE, PROBE_PASSWORD, start + TIMEOUT)
        said = [session.run(command, start + TIMEOUT).text for command in LIVE]
    assert said == ["running", "overlay", "/x"]
    assert disk.stat().st_blocks == 0, "nothing was written"


def test_a_damaged_medium_is_refused_before_anything_is_written(built: Callable[[str], Built], tmp_path: Path) -> None:
    image, disk, copy = built("debian12-iso"), empty(tmp_path / "disk"), tmp_path / "damaged.iso"
    subprocess.run(["cp", "--sparse=always", iso_of(image), copy], check=True)
    stored = (image.directory / "payload/rootfs.zst").read_bytes()
    at = copy.read_bytes().index(stored[len(stored) // 2 : len(stored) // 2 + 64])
    with copy.open("r+b") as file:
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ 1]))
    machine = Machine(medium=copy, keep=True)
    with pytest.raises(BootError, match=r"rootfs\.zst of the medium: the block at \d+ has not the sha256"):
        install(disk, machine, tmp_path / "install.log", 3 * TIMEOUT, lambda _: None)
    assert disk.stat().st_blocks == 0, "nothing was written"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("answers", "refusal"),
    [
        pytest.param("disk.strategy = fastest\n", "", id="fastest"),
        pytest.param("disk = /dev/vda\n", "a disk that can be taken at /dev/vda, but it has data", id="with-data"),
        pytest.param("hostnam = edge\ndisk = sda\n", "expected answers without mistakes, found 2", id="mistakes"),
    ],
)
def test_answers_of_a_second_medium_choose_between_five_disks_of_different_kinds(
    answers: str, refusal: str, built: Callable[[str], Built], tmp_path: Path
) -> None:
    """The disks are on NVMe, which is the fastest, SATA, virtio, which has data, USB, and virtio with the answers."""
    image, fastest = built("debian12-iso"), empty(tmp_path / "nvme")
    others = [Disk(image=empty(tmp_path / bus), bus=bus, read_only=False) for bus in ("virtio", "sata", "usb")]
    subprocess.run(["mkfs.ext4", "-q", others[0].image], check=True)
    before = [digest_of_file(disk.image) for disk in others]
    asked = Disk(image=medium_of_answers(tmp_path, answers))
    machine = Machine(medium=iso_of(image), bus="nvme", keep=True, disks=(*others, asked))
    with pytest.raises(BootError, match=re.escape(refusal)) if refusal else nullcontext():
        install(fastest, machine, tmp_path / "install.log", 3 * TIMEOUT, lambda _: None)
    assert [digest_of_file(disk.image) for disk in others] == before, "nothing was written to the others"
    assert bool(fastest.stat().st_blocks) == (not refusal)


@pytest.mark.slow
def test_power_that_fails_leaves_no_half_system_and_a_second_run_installs(
    built: Callable[[str], Built], tmp_path: Path
) -> None:
    image, disk = built("debian12-iso"), empty(tmp_path / "disk")
    machine = Machine(medium=iso_of(image), medium_is="stick", bus="nvme", keep=True)
    with started(disk, machine, credentials={}, log=tmp_path / "cut.log") as console:
        console.expect("half of the writing", {"half": r"Writing +[4-9]\d %"}, time.monotonic() + 3 * TIMEOUT)
    with pytest.raises(BootError, match=r"No bootable|UEFI Interactive Shell|failed to|time is up"):
        said_by(disk, Machine(bus="nvme"), tmp_path / "half.log", [])
    install(disk, machine, tmp_path / "again.log", 3 * TIMEOUT, lambda _: None)
    assert said_by(disk, Machine(bus="nvme"), tmp_path / "boot.log", ASKED[:1]) == ["running"]


@pytest.mark.slow
def test_two_disks_of_one_medium_are_two_machines(built: Callable[[str], Built], tmp_path: Path) -> None:
    """An installation draws nothing: even disks with the same bits become two machines at their first boots."""
    image, disk = built("azl3-iso"), empty(tmp_path / "disk")
    machine = Machine(medium=iso_of(image), medium_is="virtio", keep=True)
    install(disk, machine, tmp_path / "install.log", 3 * TIMEOUT, lambda _: None)
    asked = [*ASKED[:2], *IDENTITY]  # what a machine writes is not kept
    machines = [said_by(disk, Machine(), tmp_path / f"boot-{number}.log", asked) for number in (1, 2)]
    assert [machine[:2] for machine in machines] == [["running", "azurelinux"]] * 2
    (first, first_key), (second, second_key) = (machine[2:] for machine in machines)
    assert first != second
    assert all(re.fullmatch(r"[0-9a-f]{32}", found) for found in (first, second))
    assert first_key.split()[1] != second_key.split()[1]


@pytest.mark.slow
def test_too_little_memory_is_said_on_the_console(built: Callable[[str], Built], tmp_path: Path) -> None:
    image, disk = built("debian12-iso"), empty(tmp_path / "disk")
    machine = Machine(medium=iso_of(image), keep=True, memory=768)
    with started(disk, machine, credentials={}, log=tmp_path / "little.log") as console:
        said = {"said": "init: expected memory for the whole system of this medium, found too little"}
        console.expect("what /init says", said, time.monotonic() + TIMEOUT)
    assert disk.stat().st_blocks == 0, "nothing was written"
