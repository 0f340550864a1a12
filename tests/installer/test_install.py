"""Installations onto disks that are files, by the program as a medium has it."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from installer.medium import MIB, Medium
from installer.runs import KILLED, check_installed, run_installer, run_python
from oic.installer.__main__ import main
from oic.installer.marker import MARK

if TYPE_CHECKING:
    from pathlib import Path


def install(medium: Medium, disk: Path, *options: str) -> str:
    done = run_installer("--disk", disk, *options, medium.path)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    return done.stdout


def refused(medium: Medium, disk: Path, *options: str) -> str:
    """Return what was said; the disk is as it was."""
    before = disk.read_bytes() if disk.exists() else b""
    done = run_installer("--disk", disk, *options, medium.path)
    assert (done.returncode, done.stderr) == (1, ""), done.stdout
    assert before == (disk.read_bytes() if disk.exists() else b"")
    return done.stdout


def test_an_image_with_a_gpt_is_installed(efi_medium: Medium, disk: Path) -> None:
    said = install(efi_medium, disk)
    check_installed(efi_medium, disk)
    assert [line for line in said.splitlines() if " %, " not in line] == [
        "Installing edge 1.0.0 (Debian GNU/Linux 12 (bookworm))",
        "Answers: none, as the recipe says",
        f"Disk: {disk}, 67.1 MB",
        f"Erasing {disk}",
        "Writing the partition table",
        "Writing the file systems",
        "Growing data to 44.0 MB",
        "Writing what boots",
        f"Installed edge 1.0.0 on {disk}",
    ]
    assert re.search(r"Checking the medium  100 %, (\d+) of \1 MB", said)
    assert said.splitlines()[-2].startswith("Writing  100 %, 29 of 29 MB")


def test_an_image_with_an_mbr_and_boot_code_is_installed(bios_medium: Medium, disk: Path) -> None:
    install(bios_medium, disk)
    check_installed(bios_medium, disk)
    assert disk.read_bytes()[440:446] == bytes.fromhex("cdab34120000")


def test_a_dry_run_says_what_it_would_write_and_writes_nothing(efi_medium: Medium, disk: Path) -> None:
    before = disk.read_bytes()
    said = install(efi_medium, disk, "--dry-run")
    assert disk.read_bytes() == before
    assert said.endswith(
        f"Would erase {disk} and write:\n"
        "    1      8.4 MB at 1.0 MB      boot  fat32 /boot/efi\n"
        "    2     12.6 MB at 9.4 MB      rootfs  ext4 /\n"
        "    3     44.0 MB at 22.0 MB     data  ext4 /opt\n"
        "Nothing was written (--dry-run).\n"
    )


def test_a_finished_disk_has_no_mark_and_is_not_taken_again(medium: Medium, disk: Path) -> None:
    install(medium, disk)
    assert MARK not in disk.read_bytes()
    said = refused(medium, disk)
    assert re.search("(gpt|dos), installed from this medium  has data\n", said)
    assert "to start what is installed, remove the medium and restart" in said


def test_a_disk_with_data_is_erased_where_the_answers_say_so(medium: Medium, disk: Path) -> None:
    subprocess.run(["mkfs.ext4", "-q", str(disk)], check=True)
    assert "ext4  has data" in refused(medium, disk)
    (medium.path / "oic/answers").write_text("disk.require-empty = false\n")
    assert f"Answers: {medium.path}/oic/answers\n" in install(medium, disk)
    check_installed(medium, disk)


def test_answers_that_change_the_system_are_refused_for_a_file(medium: Medium, disk: Path) -> None:
    (medium.path / "oic/answers").write_text("hostname = one\n")
    assert "a plain file cannot be mounted" in refused(medium, disk)


def test_all_mistakes_of_the_answers_are_said_and_nothing_is_written(medium: Medium, disk: Path) -> None:
    (medium.path / "oic/answers").write_text("hostnam = one\nreboot = never\n")
    said = refused(medium, disk)
    assert f"{medium.path}/oic/answers:1: expected a known key, found 'hostnam'; did you mean 'hostname'?" in said
    assert f"{medium.path}/oic/answers:2: expected one of reboot, poweroff, shell, found 'never'" in said


def test_a_disk_that_is_too_small_is_refused(efi_medium: Medium, tmp_path: Path) -> None:
    disk = tmp_path / "small"
    disk.write_bytes(bytes(39 * MIB))
    assert "is too small, 41.9 MB are needed" in refused(efi_medium, disk)


def test_a_medium_without_a_payload_is_refused(tmp_path: Path, disk: Path) -> None:
    assert f"expected oic/payload.json on the medium at {tmp_path}" in refused(Medium(tmp_path), disk)


def test_a_disk_that_is_not_there_is_refused(efi_medium: Medium, tmp_path: Path) -> None:
    assert f"expected a file at {tmp_path}/none: No such file or directory" in refused(efi_medium, tmp_path / "none")


@pytest.mark.parametrize("name", ["boot.zst", "rootfs.zst", "data.zst"])
@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_a_flipped_bit_of_the_payload_is_found_before_the_disk_is_written(
    name: str, share: float, medium: Medium, disk: Path
) -> None:
    path = medium.path / "oic/payload" / name
    data = bytearray(path.read_bytes())
    data[int(share * (len(data) - 1))] ^= 0x10
    path.write_bytes(data)
    said = refused(medium, disk)
    assert re.search(f"oic/payload/{name} of the medium: the block at .* has not the sha256 that the index says", said)
    assert "the medium is damaged" in said
    assert "Erasing" not in said


def test_a_file_of_another_length_is_found(medium: Medium, disk: Path) -> None:
    path = medium.path / "oic/payload/boot.zst"
    path.write_bytes(path.read_bytes()[:-1])
    assert "oic/payload/boot.zst of the medium: expected" in refused(medium, disk)
    path.unlink()
    assert "oic/payload/boot.zst of the medium cannot be read: No such file" in refused(medium, disk)


@pytest.mark.parametrize("key", ["sha256", "stored"])
def test_a_flipped_digit_of_a_digest_is_found(key: str, medium: Medium, disk: Path) -> None:
    block = medium.index["images"]["rootfs.zst"]["blocks"][-1]
    block[key] = block[key][:-1] + ("0" if block[key][-1] != "0" else "1")
    medium.save()
    said = refused(medium, disk)
    assert f"the block at {block['at']}{' when unpacked' if key == 'sha256' else ''} has not the sha256" in said


def test_a_frame_that_holds_more_or_less_than_the_index_says_is_found(medium: Medium, disk: Path) -> None:
    blocks = medium.index["images"]["rootfs.zst"]["blocks"]
    for change in (-1, 1):
        blocks[-1]["size"] += change
        medium.save()
        assert "when unpacked has not the sha256" in refused(medium, disk)
        blocks[-1]["size"] -= change


def test_a_script_that_makes_other_partitions_is_found_before_the_disk_is_written(medium: Medium, disk: Path) -> None:
    table = medium.index["table"]
    for old, new, found in (
        ("size=24576", "size=24575", "expected partition 2 of 12582912 bytes at 9437184, sfdisk makes one of 12582400"),
        ("start=18432, size=24576", "start=18440, size=24568", "expected partition 2"),
        ("label: gpt", "label: dos", "expected a script of sfdisk with label and label-id, found 'dos' and '1111"),
        ("3 : start=43008", "# 3", "expected a table with partitions [1, 2, 3], sfdisk makes 1, 2"),
        ("type=L", "type=nonsense", "failed with status 1"),
    ):
        medium.index["table"] = table.replace(old, new)
        medium.save()
        assert found in refused(medium, disk)


def test_a_block_is_compared_again_as_it_is_written(
    medium: Medium, disk: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A medium may be read well once and badly the second time."""
    monkeypatch.setattr("oic.installer.checks.check_payload", lambda *_: None)
    block = medium.index["images"]["rootfs.zst"]["blocks"][-1]
    path = medium.path / "oic/payload/rootfs.zst"
    data = bytearray(path.read_bytes())
    data[block["from"] + block["length"] // 2] ^= 1
    path.write_bytes(data)
    assert main(["--disk", str(disk), str(medium.path)]) == 1
    said = capfd.readouterr().out
    assert f"the block at {block['at']} has not the sha256 that the index says" in said
    assert f"{disk} was being written and does not boot; an installation from this medium may begin anew" in said
    check_is_whole_or_does_not_boot(medium, disk)
    begin = medium.index["partitions"][1]["start"] + block["at"]
    assert disk.read_bytes()[begin : begin + 4096] in (bytes(4096), b"\xa5" * 4096)


def writes_of(medium: Medium, disk: Path) -> int:
    done = run_python("-c", KILLED, str(10**6), "--disk", disk, medium.path)
    assert done.returncode == 0, done.stdout
    return 10**6 - int(done.stdout.rpartition("left: ")[2])


def check_is_whole_or_does_not_boot(medium: Medium, disk: Path) -> None:
    """Assert that neither the firmware nor the first sector starts anything of an image that is not whole."""
    data = disk.read_bytes()
    start = medium.index["partitions"][0]["start"]
    if medium.index["firmware"] == "efi":
        done = subprocess.run(
            ["blkid", "-p", "--offset", str(start), str(disk)], capture_output=True, text=True, check=False
        )
        if "vfat" in done.stdout:  # nothing is missing but that the mark goes
            check_installed(medium, disk)
    else:
        assert not data.startswith(medium.plain["code.zst"][:16])
    assert data.startswith((MARK, b"\xa5" * 440))


@pytest.mark.parametrize("firmware", ["efi", pytest.param("bios", marks=pytest.mark.slow)])
def test_a_kill_at_any_write_leaves_no_half_system_that_boots_and_the_next_run_installs(
    firmware: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    medium: Medium = request.getfixturevalue(f"{firmware}_medium")
    disk = tmp_path / "disk"
    disk.write_bytes(b"\xa5" * (64 * MIB))
    total = writes_of(medium, disk)
    at_the_end = {total - 1, total - 2, total - 3}
    for at in sorted({*range(0, total, max(1, total // 7)), 1, *at_the_end}):
        disk.write_bytes(b"\xa5" * (64 * MIB))
        killed = run_python("-c", KILLED, str(at), "--disk", disk, medium.path)
        assert killed.returncode == -9, (at, killed.stdout)
        check_is_whole_or_does_not_boot(medium, disk)
        install(medium, disk)
        check_installed(medium, disk)
        assert MARK not in disk.read_bytes()[:512]


def test_an_interrupted_disk_that_was_used_for_something_else_is_not_erased(efi_medium: Medium, disk: Path) -> None:
    total = writes_of(efi_medium, disk)
    disk.write_bytes(b"\xa5" * (64 * MIB))
    run_python("-c", KILLED, str(total // 2), "--disk", disk, efi_medium.path)
    interrupted = disk.read_bytes()
    assert interrupted.startswith(MARK)
    for command in (
        f"echo start=2048 | sfdisk -q -X gpt {disk}",
        f"echo start=2048 | sfdisk -q -X dos {disk}",
        f"mkfs.vfat --offset 2048 {disk} 8192",
        f"mkfs.ext4 -F -E offset={9 * MIB} {disk} 12M",
        f"truncate -s 300M {disk}.x; mkfs.xfs -q {disk}.x; dd if={disk}.x of={disk} bs=1M seek=21 count=1 conv=notrunc",
    ):
        disk.write_bytes(interrupted)
        subprocess.run(["sh", "-c", command], check=True, capture_output=True)
        assert disk.read_bytes().startswith(MARK)  # these programs leave it where it is
        assert "has data" in refused(efi_medium, disk)
    disk.write_bytes(interrupted)
    install(efi_medium, disk)
