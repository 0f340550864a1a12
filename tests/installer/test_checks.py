from __future__ import annotations

import dataclasses
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from installer.machine import FIVE, STICK, make_machine
from oic.installer import checks
from oic.installer.answers import Answers, User
from oic.installer.disks import Machine, disks_of
from oic.installer.errors import InstallError
from oic.installer.index import parse_payload
from oic.installer.install import Job, _resolved, _without_answers, install, wish_of
from oic.installer.payload import State
from oic.installer.screen import Screen
from oic.installer.sources import Found, find_answers, read_file

if TYPE_CHECKING:
    from pathlib import Path

    from installer.medium import Medium
    from oic.installer.payload import Payload


@pytest.fixture
def payload(efi_medium: Medium) -> Payload:
    return parse_payload((efi_medium.path / "oic/payload.json").read_bytes())


@pytest.mark.parametrize(("firmware", "wrong"), [("efi", "bios"), ("bios", "efi")])
def test_a_machine_of_the_other_firmware_is_refused(
    firmware: str, wrong: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    medium: Medium = request.getfixturevalue(f"{firmware}_medium")
    payload = parse_payload((medium.path / "oic/payload.json").read_bytes())
    machine = make_machine(tmp_path, [])
    for found in (wrong, firmware):
        (machine.sys / "firmware/efi").rmdir() if (machine.sys / "firmware/efi").exists() else None
        (machine.sys / "firmware" / ("efi" if found == "efi" else "dmi")).mkdir(parents=True, exist_ok=True)
        if found == firmware:
            checks.check_firmware(payload, machine)
            continue
        with pytest.raises(InstallError) as caught:
            checks.check_firmware(payload, machine)
        names = {"efi": "UEFI", "bios": "a BIOS"}
        assert f"started by {names[firmware]}, which" in str(caught.value)
        assert f"this one was started by {names[wrong]}" in str(caught.value)


def test_too_little_memory_is_said(payload: Payload, tmp_path: Path) -> None:
    machine = make_machine(tmp_path, [])
    checks.check_memory(payload, machine)  # without /proc/meminfo nothing is known
    needed = checks.needed_memory(payload)
    (machine.proc / "meminfo").write_text(f"MemTotal: 999999 kB\nMemAvailable:   {needed // 1024 - 1} kB\n")
    with pytest.raises(InstallError, match=f"expected {needed >> 20} MiB of free memory, found {(needed >> 20) - 1}"):
        checks.check_memory(payload, machine)
    (machine.proc / "meminfo").write_text(f"MemAvailable: {needed // 1024 + 1} kB\n")
    checks.check_memory(payload, machine)


def test_the_memory_that_is_said_to_be_needed_is_enough(efi_medium: Medium, disk: Path) -> None:
    """Address space is more than memory: with as much of it as memory, an installation has less."""
    payload = parse_payload((efi_medium.path / "oic/payload.json").read_bytes())
    limit = checks.needed_memory(payload) // 1024
    command = f'ulimit -d {limit}; exec {sys.executable} -m oic.installer --disk "$1" "$2"'
    done = subprocess.run(
        ["bash", "-c", command, "-", str(disk), str(efi_medium.path)], check=False, capture_output=True
    )
    assert done.returncode == 0, done.stdout


def test_programs_that_are_missing_are_all_named(
    payload: Payload, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checks.check_programs(payload, Answers(hostname="a"), mounts=True)
    monkeypatch.setattr(checks, "_PATH", str(tmp_path))
    with pytest.raises(InstallError) as caught:
        checks.check_programs(payload, Answers(hostname="a"), mounts=True)
    assert "expected zstd, sfdisk, wipefs, blkid, e2fsck, resize2fs, mount, umount in" in str(caught.value)


def test_answers_for_a_root_that_cannot_be_changed_are_refused(payload: Payload) -> None:
    partitions = tuple(dataclasses.replace(one, type="squashfs") for one in payload.partitions)
    fixed = dataclasses.replace(payload, partitions=partitions)
    checks.check_root(fixed, Answers(disk="/dev/sda"))
    with pytest.raises(InstallError, match=r"the root is read-only \(squashfs\)"):
        checks.check_root(fixed, Answers(users=(User(name="a"),)))
    kept = dataclasses.replace(fixed, state=State(partition=payload.partitions[2], directories=()))
    checks.check_root(kept, Answers(hostname="a"))
    lost = dataclasses.replace(payload, state=State(partition=None, directories=()))
    checks.check_root(lost, Answers(disk="/dev/sda"))
    with pytest.raises(InstallError, match="what the system writes is in memory, lost when the machine stops"):
        checks.check_root(lost, Answers(hostname="a"))


def test_answers_say_more_than_the_recipe(payload: Payload) -> None:
    policy = dataclasses.replace(payload.disk, path="/dev/vda", exclude_removable=False)
    recipe = dataclasses.replace(payload, disk=policy)
    assert wish_of(recipe, Answers()).path == "/dev/vda"
    assert not wish_of(recipe, Answers()).exclude_removable
    assert wish_of(recipe, Answers(exclude_removable=True)).exclude_removable
    assert not wish_of(recipe, Answers(require_empty=False)).require_empty
    chosen = wish_of(recipe, Answers(strategy="largest"))
    assert (chosen.path, chosen.strategy, chosen.least) == ("", "largest", payload.least)
    assert wish_of(recipe, Answers(disk="/dev/sda")).path == "/dev/sda"


def test_the_medium_and_the_command_line_are_read(tmp_path: Path) -> None:
    made = make_machine(tmp_path / "machine", [])
    machine = Machine(sys=made.sys, proc=made.proc, medium=tmp_path / "medium")
    (tmp_path / "medium/oic").mkdir(parents=True)
    assert find_answers(machine, looks_for_second=False) == Found(answers=Answers(), devices=(), names=())
    (tmp_path / "medium/oic/answers").write_text("hostname = one\nreboot = shell\n")
    (machine.proc / "cmdline").write_text("quiet oic.hostname=two\n")
    found = find_answers(machine, looks_for_second=False)
    assert found.answers == Answers(hostname="two", reboot="shell")
    assert found.names == (f"{tmp_path}/medium/oic/answers", "the kernel command line")
    (tmp_path / "more").write_text("hostname = three\n")
    found = find_answers(machine, tmp_path / "more", looks_for_second=False)
    assert found.answers == Answers(hostname="three", reboot="shell")
    assert found.names[2:] == (f"{tmp_path}/more",)
    with pytest.raises(InstallError, match=r"expected a file with answers at .*/none, found none"):
        find_answers(machine, tmp_path / "none", looks_for_second=False)


def test_an_answer_file_is_a_file_and_not_a_link_out_of_its_medium(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/etc/hostname")
    (tmp_path / "folder").mkdir()
    assert read_file(tmp_path / "none") is None
    with pytest.raises(InstallError, match="link cannot be read"):
        read_file(tmp_path / "link")
    with pytest.raises(InstallError, match=r"expected a file at .*folder, found something else"):
        read_file(tmp_path / "folder")


def test_the_disk_that_the_answers_are_on_is_in_use(tmp_path: Path) -> None:
    machine = make_machine(tmp_path, FIVE, mounts=STICK)
    found = Found(answers=Answers(), devices=("/dev/sda1", "/dev/vda"), names=())
    used = {disk.path: disk.used for disk in _without_answers(machine, disks_of(machine), found)}
    assert used == {
        "/dev/sda": "has the answers",
        "/dev/sdb": "is the installation medium",
        "/dev/sdc": "",
        "/dev/vda": "has the answers",
        "/dev/nvme0n1": "",
    }


def test_a_partition_is_no_disk(tmp_path: Path) -> None:
    machine = make_machine(tmp_path, FIVE)
    assert _resolved(machine, "/dev/sda") == "/dev/sda"
    with pytest.raises(InstallError, match="expected a whole disk at /dev/sda2, found a partition of /dev/sda"):
        _resolved(machine, "/dev/sda2")


def test_a_machine_without_a_disk_is_told_so(
    efi_medium: Medium, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    made = make_machine(tmp_path, [])
    (made.sys / "firmware/efi").mkdir(parents=True)
    machine = Machine(sys=made.sys, proc=made.proc, medium=efi_medium.path)
    with pytest.raises(InstallError, match="expected a disk to install on, found none"):
        install(Job(machine=machine), Screen())
    assert capfd.readouterr().out.startswith("Installing edge 1.0.0 (Debian GNU/Linux 12 (bookworm))\nAnswers: none")
