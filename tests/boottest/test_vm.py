"""The machine itself: what it needs, how it fails, and that nothing of it stays."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from oic.boottest import vm
from oic.boottest.boot import boot_test
from oic.boottest.failure import BootError
from oic.errors import ToolError

LIST = ["dpkg-query", "-W"]


@pytest.fixture
def qemu() -> None:
    """Skip where there is no qemu."""
    try:
        vm._required(vm.UEFI)
    except ToolError as error:
        pytest.skip(str(error))


@pytest.fixture
def empty_disk(tmp_path: Path) -> Path:
    """A disk nothing boots from, with a name qemu could misread."""
    disk = tmp_path / "empty, disk.raw"
    disk.touch()
    os.truncate(disk, 8 << 20)
    return disk


def machines_of(disk: Path) -> list[str]:
    """Return the ids of the processes that have `disk` on their command line."""
    name = disk.name.replace(",", ",,").encode()
    found = []
    for command in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = command.read_bytes().split(b"\0")
        except OSError:
            continue  # it ended meanwhile
        if any(word.endswith(name) and word.startswith(b"if=none") for word in words):
            found.append(command.parent.name)
    return found


def boot(disk: Path, log: Path, said: list[str], firmware: vm.Firmware = vm.UEFI) -> None:
    machine = vm.Machine(firmware=firmware)
    boot_test(disk, machine, expected={}, list_command=LIST, users=(), log=log, timeout=120, report=said.append)


@pytest.mark.boot
@pytest.mark.usefixtures("qemu")
def test_an_empty_disk_is_what_the_firmware_says_it_is(empty_disk: Path, tmp_path: Path) -> None:
    before = hashlib.sha256(empty_disk.read_bytes()).digest()
    with pytest.raises(
        BootError, match=r"expected a login prompt .*, but the machine printed: BdsDxe: failed to load"
    ) as why:
        boot(empty_disk, tmp_path / "console.log", [])
    assert why.value.where == str(tmp_path / "console.log")
    assert "BdsDxe: failed to load" in (tmp_path / "console.log").read_text()
    assert hashlib.sha256(empty_disk.read_bytes()).digest() == before
    assert machines_of(empty_disk) == []


@pytest.mark.boot
@pytest.mark.usefixtures("qemu")
def test_a_disk_that_a_bios_cannot_boot_is_what_the_bios_says_it_is(empty_disk: Path, tmp_path: Path) -> None:
    said: list[str] = []
    with pytest.raises(BootError, match=r"expected a login prompt .*, but the machine printed: No bootable device"):
        boot(empty_disk, tmp_path / "console.log", said, vm.BIOS)
    assert [line.partition(" after ")[0] for line in said] == ["firmware"]


@pytest.mark.boot
@pytest.mark.usefixtures("qemu")
def test_secure_boot_needs_firmware_with_keys_and_boots_no_empty_disk_either(empty_disk: Path, tmp_path: Path) -> None:
    with pytest.raises(BootError, match=r"the machine printed: BdsDxe: failed to load"):
        boot(empty_disk, tmp_path / "console.log", [], vm.SECURE_BOOT)


@pytest.mark.boot
@pytest.mark.usefixtures("qemu")
def test_a_machine_that_does_not_start_fails_in_its_own_words(
    empty_disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (vm.CODE, vm.VARS):
        (tmp_path / name).write_bytes(b"no firmware")
    monkeypatch.setattr(vm, "FIRMWARE", tmp_path)
    with pytest.raises(BootError, match=r"expected a login prompt .*, but qemu ended with status 1: .*pflash"):
        boot(empty_disk, tmp_path / "console.log", [])


@pytest.mark.boot
@pytest.mark.usefixtures("qemu")
def test_a_killed_boot_test_leaves_no_machine(empty_disk: Path, tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from oic.boottest.vm import Machine, started\n"
        "with started(Path(sys.argv[1]), Machine(), credentials={}, log=Path(sys.argv[2])) as console:\n"
        "    console.expect('words', {'some': '.'}, time.monotonic() + 60); print('up', flush=True); sys.stdin.read()\n"
    )
    argv = [sys.executable, "-c", code, str(empty_disk), str(tmp_path / "console.log")]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as tester:
        assert tester.stdout is not None
        assert tester.stdout.readline() == "up\n"
        assert len(machines_of(empty_disk)) == 1
        tester.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 30
    while machines_of(empty_disk) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert machines_of(empty_disk) == []


def test_a_host_without_qemu_is_told_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vm, "QEMU", "qemu-system-none")
    with pytest.raises(ToolError, match=r"qemu-system-none is not on this host \(install it: apt-get install .*ovmf\)"):
        boot(tmp_path / "disk.raw", tmp_path / "console.log", [])


@pytest.mark.usefixtures("qemu")
def test_a_host_without_firmware_is_told_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vm, "FIRMWARE", tmp_path)
    with pytest.raises(
        ToolError, match=r"OVMF_CODE_4M.fd: the firmware OVMF is not on this host \(install it: apt-get"
    ):
        boot(tmp_path / "disk.raw", tmp_path / "console.log", [])


@pytest.mark.usefixtures("qemu")
def test_an_image_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BootError, match=r"disk.raw: there is no image to boot \(build it first\)"):
        boot(tmp_path / "disk.raw", tmp_path / "console.log", [])


@pytest.mark.parametrize(
    ("version", "cpu"), [("7.2.22 (Debian 1:7.2+dfsg-7)", "max,-erms,-cx16"), ("10.0.2", "max,-erms")]
)
def test_an_instruction_that_an_old_qemu_gets_wrong_is_left_out(tmp_path: Path, version: str, cpu: str) -> None:
    qemu = tmp_path / "qemu"
    qemu.write_text(f"#!/bin/sh\necho 'QEMU emulator version {version}'\n")
    qemu.chmod(0o755)
    assert vm._cpu(str(qemu)) == cpu


@pytest.mark.boot
@pytest.mark.usefixtures("qemu")
def test_a_boot_that_takes_too_long_says_how_far_it_came(empty_disk: Path, tmp_path: Path) -> None:
    said: list[str] = []
    with pytest.raises(BootError, match=r"expected a login prompt \(nothing seen so far\), but the time is up"):
        boot_test(
            empty_disk,
            vm.Machine(),
            expected={},
            list_command=LIST,
            users=(),
            log=tmp_path / "console.log",
            timeout=0.5,
            report=said.append,
        )
    assert said == []
