"""The unit that grows the last partition: its names, its program on a real table, and what it needs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from oic.chroot import namespace
from oic.errors import OicError
from oic.image.tree.grow import Growth, program_text, unit_name, unit_text, write
from oic.process import child

if TYPE_CHECKING:
    from pathlib import Path

GROWTH = Growth(part_uuid="11111111-2222-3333-4444-555555555555", number=2, extended=0, at="/srv/my-data")


def made(tree: Path, *programs: str) -> None:
    for name in programs:
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).touch()


def test_a_program_that_the_image_lacks_is_an_error(tmp_path: Path) -> None:
    made(tmp_path, "usr/bin/partx", "usr/lib/systemd/systemd-growfs")
    with pytest.raises(OicError, match=r"expected sfdisk in the image, for a partition that grows, found none \(name"):
        namespace.call(child.inside, tmp_path, write, GROWTH)


def test_the_unit_is_enabled_and_its_program_is_one_that_a_shell_can_read(tmp_path: Path) -> None:
    made(tmp_path, "usr/sbin/sfdisk", "usr/bin/partx", "usr/lib/systemd/systemd-growfs", "etc/systemd/system/x")
    namespace.call(child.inside, tmp_path, write, GROWTH, writes=[tmp_path])
    link = tmp_path / "etc/systemd/system/local-fs.target.wants/grow-last-partition.service"
    assert (tmp_path / str(link.readlink()).lstrip("/")).read_text() == unit_text(GROWTH)
    program = tmp_path / "usr/lib/grow-last-partition"
    assert program.stat().st_mode & 0o777 == 0o755
    subprocess.run(["sh", "-n", program], check=True)


def test_of_a_logical_partition_the_extended_one_grows_first() -> None:
    logical = Growth(part_uuid="0badcafe-06", number=6, extended=4, at="")
    assert "for number in 4 6; do" in program_text(logical)
    assert "systemd-growfs" not in unit_text(logical)


@pytest.mark.skipif(shutil.which("systemd-escape") is None, reason="needs systemd-escape: install systemd")
@pytest.mark.parametrize("path", ["/", "/srv", "/srv/my-data", "/srv/.a b", "/.x", "/\u00fc", "/a_b:c.d"])
def test_names_of_units_are_those_of_systemd_escape(path: str) -> None:
    done = subprocess.run(["systemd-escape", "--path", path], capture_output=True, text=True, check=True)
    assert unit_name(path) == done.stdout.strip()


@pytest.mark.skipif(shutil.which("sfdisk") is None, reason="needs sfdisk: install fdisk")
@pytest.mark.parametrize(
    ("table", "growth"),
    [
        ("label: gpt\nsize=20M\nsize=20M\n", GROWTH),
        (
            "label: dos\nsize=20M\nsize=20M\nsize=20M\ntype=5\nsize=20M\nsize=20M\n",
            Growth(part_uuid="0badcafe-06", number=6, extended=4, at=""),
        ),
    ],
)
def test_its_sfdisk_gives_the_partition_all_of_a_larger_device(table: str, growth: Growth, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.touch()
    os.truncate(disk, 128 << 20)
    subprocess.run(["sfdisk", "-q", disk], input=table, text=True, check=True)
    os.truncate(disk, 1 << 30)
    program = program_text(growth)
    loop = program[program.index("for number") : program.index("partx")]
    subprocess.run(["sh", "-euc", f'disk="$1"\n{loop}', "sh", disk], check=True, capture_output=True)
    done = subprocess.run(["sfdisk", "--verify", disk], capture_output=True, text=True, check=True)
    assert (done.stderr, "No errors detected." in done.stdout) == ("", True)
    said = subprocess.run(["sfdisk", "--json", disk], capture_output=True, check=True).stdout
    last = json.loads(said)["partitiontable"]["partitions"][-1]
    assert last["start"] + last["size"] > (1 << 30) // 512 - 4096
