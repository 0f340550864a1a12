"""ISO images, booted in qemu: they install without a person, and what they installed boots without the medium."""

from __future__ import annotations

import re
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from oic.boottest.boot import CREDENTIALS, PROBE, PROBE_PASSWORD, await_login
from oic.boottest.failure import BootError
from oic.boottest.installing import install
from oic.boottest.session import log_in
from oic.boottest.vm import BIOS, UEFI, Firmware, Machine, started

from .booted import TIMEOUT, said_by

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .conftest import Built

pytestmark = [pytest.mark.mirror, pytest.mark.boot]
GIB = 1 << 30
ASKED = [
    "systemctl is-system-running --wait",
    "hostname",
    "findmnt -rno SOURCE,SIZE -b /",
]


LIVE = ["systemctl is-system-running --wait", "findmnt -no FSTYPE /", "touch /x && ls /x"]


def iso_of(image: Built) -> Path:
    return image.directory / f"{image.name}-1.0.0.iso"


def empty(path: Path, size: int = 4 * GIB) -> Path:
    with path.open("wb") as file:
        file.truncate(size)
    return path


def sized(text: str) -> int:
    """Return the size of the root's file system, of what findmnt says."""
    return int(text.split()[1])


SCENARIOS = [
    pytest.param("debian12-iso", UEFI, "cd", "sata", id="debian12-uefi-cd-sata", marks=pytest.mark.slow),
    pytest.param("debian12-iso", UEFI, "stick", "nvme", id="debian12-uefi-stick-nvme", marks=pytest.mark.slow),
    pytest.param("debian12-bios-iso", BIOS, "cd", "virtio", id="debian12-bios-cd-virtio", marks=pytest.mark.slow),
    pytest.param("debian12-bios-iso", BIOS, "stick", "sata", id="debian12-bios-stick-sata", marks=pytest.mark.slow),
    pytest.param("azl3-iso", UEFI, "cd", "sata", id="azl3-uefi-cd-sata", marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("name", "firmware", "on", "bus"), SCENARIOS)
def test_it_installs_and_what_it_installed_boots_without_the_medium(
    name: str,
    firmware: Firmware,
    on: str,
    bus: str,
    built: Callable[[str], Built],
    tmp_path: Path,
) -> None:
    image, disk = built(name), empty(tmp_path / "disk")
    machine = Machine(firmware=firmware, medium=iso_of(image), stick=on == "stick", bus=bus, keep=True)
    install(disk, machine, tmp_path / "install.log", 3 * TIMEOUT, lambda _: None)
    verdict = subprocess.run(["sfdisk", "--verify", disk], capture_output=True, text=True, check=True).stdout
    assert "No errors detected." in verdict
    said = said_by(disk, Machine(firmware=firmware, bus=bus), tmp_path / "boot.log", ASKED)
    assert said[0] == "running"
    assert said[1] == {"debian12-bios-iso": "edge-7", "azl3-iso": "azl3"}.get(name, "debian")
    if name != "debian12-bios-iso":
        assert sized(said[2]) > 3 * GIB, "the root was enlarged to the disk"


@pytest.mark.slow
@pytest.mark.parametrize(("firmware", "on"), [(UEFI, "cd"), (BIOS, "stick")], ids=["uefi-cd", "bios-stick"])
def test_it_runs_live_and_touches_no_disk(
    firmware: Firmware,
    on: str,
    built: Callable[[str], Built],
    tmp_path: Path,
) -> None:
    image, disk = built("debian12-live"), empty(tmp_path / "disk")
    machine = Machine(firmware=firmware, medium=iso_of(image), stick=on == "stick", keep=True)
    start = time.monotonic()
    with started(disk, machine, credentials=CREDENTIALS, log=tmp_path / "live.log") as console:
        await_login(console, start, start + TIMEOUT, lambda _: None)
        session = log_in(console, PROBE, PROBE_PASSWORD, start + TIMEOUT)
        said = [session.run(command, start + TIMEOUT).text for command in LIVE]
    assert said == ["running", "overlay", "/x"]
    assert disk.stat().st_blocks == 0, "nothing was written"


@pytest.mark.slow
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
def test_power_that_fails_leaves_no_half_system_and_a_second_run_installs(
    built: Callable[[str], Built], tmp_path: Path
) -> None:
    image, disk = built("debian12-iso"), empty(tmp_path / "disk")
    machine = Machine(medium=iso_of(image), keep=True)
    with started(disk, machine, credentials={}, log=tmp_path / "cut.log") as console:
        console.expect("half of the writing", {"half": r"Writing +[4-9]\d %"}, time.monotonic() + 3 * TIMEOUT)
    with pytest.raises(BootError, match=r"No bootable|UEFI Interactive Shell|failed to|time is up"):
        said_by(disk, Machine(), tmp_path / "half.log", [])
    install(disk, machine, tmp_path / "again.log", 3 * TIMEOUT, lambda _: None)
    assert said_by(disk, Machine(), tmp_path / "boot.log", ASKED[:1]) == ["running"]


@pytest.mark.slow
def test_two_disks_of_one_medium_are_two_machines(built: Callable[[str], Built], tmp_path: Path) -> None:
    image = built("debian12-iso")
    machines = []
    for name in ("one", "two"):
        disk = empty(tmp_path / name)
        install(disk, Machine(medium=iso_of(image), keep=True), tmp_path / f"{name}.log", 3 * TIMEOUT, lambda _: None)
        machines.append(said_by(disk, Machine(), tmp_path / f"{name}-boot.log", ["cat /etc/machine-id"]))
    assert machines[0] != machines[1]
    assert all(re.fullmatch(r"[0-9a-f]{32}", found) for (found,) in machines)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["debian12-iso", "debian12-bios-iso", "debian12-live"])
def test_xorriso_and_sfdisk_read_it_without_a_complaint(name: str, built: Callable[[str], Built]) -> None:
    iso = iso_of(built(name))
    report = subprocess.run(
        ["xorriso", "-indev", iso, "-report_el_torito", "plain", "-report_system_area", "plain"],
        capture_output=True,
        text=True,
        check=True,
    )
    said = report.stdout + report.stderr
    assert not [line for line in said.splitlines() if re.match(r"xorriso : (WARNING|FAILURE|FATAL|SORRY)", line)]
    assert "El Torito boot img :   1  BIOS" in said
    assert "El Torito boot img :   2  UEFI" in said
    table = subprocess.run(["sfdisk", "--verify", iso], capture_output=True, text=True, check=False)
    assert table.returncode == 0, table.stdout + table.stderr
