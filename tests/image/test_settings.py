from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from oic.image.tree.settings import Mount, files_of

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Said:
    hostname: str = ""
    timezone: str = ""
    locale: str = ""
    keymap: str = ""
    mounts: tuple[Mount, ...] = ()


def test_a_setting_that_is_empty_has_no_file_but_the_machine_id() -> None:
    assert files_of(Said()) == {"/etc/machine-id": ""}


def test_a_host_name_is_known_to_itself() -> None:
    files = files_of(Said(hostname="edge.example.org"))
    assert files["/etc/hostname"] == "edge.example.org\n"
    assert "127.0.1.1\tedge.example.org edge\n" in files["/etc/hosts"]


def test_what_is_only_read_is_not_checked() -> None:
    mounts = (
        Mount(device="/dev/mapper/root", at="/", type="ext4", options="ro,noatime"),
        Mount(device="PARTUUID=1", at="/opt", type="ext4", options="noatime"),
        Mount(device="PARTUUID=2", at="/srv", type="ext4", options="errors=remount-ro"),
    )
    lines = [line.split("\t") for line in files_of(Said(mounts=mounts))["/etc/fstab"].splitlines()[1:]]
    assert [(line[1], line[5]) for line in lines] == [("/", "0"), ("/opt", "2"), ("/srv", "2")]


def test_fstab_is_what_findmnt_takes(tmp_path: Path) -> None:
    mounts = (
        Mount(device="PARTUUID=11111111-1111-8111-8111-111111111111", at="/srv/data", type="ext4", options="noatime"),
        Mount(device="PARTUUID=22222222-2222-8222-8222-222222222222", at="/", type="ext4", options=""),
        Mount(device="PARTUUID=33333333-3333-8333-8333-333333333333", at="/efi", type="fat32", options="umask=077"),
        Mount(device="PARTUUID=55555555-5555-8555-8555-555555555555", at="/srv/a b\\c", type="ext4", options=""),
        Mount(device="PARTUUID=44444444-4444-8444-8444-444444444444", at="none", type="linux-swap", options=""),
    )
    file = tmp_path / "fstab"
    file.write_text(files_of(Said(mounts=mounts))["/etc/fstab"])
    argv = ["findmnt", "--fstab", "--tab-file", str(file), "--noheadings", "--raw", "--output", "TARGET,FSTYPE,OPTIONS"]
    found = subprocess.run(argv, capture_output=True, text=True, check=True).stdout.splitlines()
    own = r"/srv/a\x20b\x5cc ext4 defaults"
    assert found == ["none swap sw", "/ ext4 defaults", "/efi vfat umask=077", own, "/srv/data ext4 noatime"]
