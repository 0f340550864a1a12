from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

from oic.image.tree.settings import files_of

if TYPE_CHECKING:
    from pathlib import Path

EMPTY: dict[str, Any] = {"hostname": "", "mounts": [], "timezone": "", "locale": "", "keymap": ""}


def test_a_setting_that_is_empty_has_no_file_but_the_machine_id() -> None:
    assert files_of(EMPTY) == {"/etc/machine-id": ""}


def test_a_host_name_is_known_to_itself() -> None:
    files = files_of({**EMPTY, "hostname": "edge.example.org"})
    assert files["/etc/hostname"] == "edge.example.org\n"
    assert "127.0.1.1\tedge.example.org edge\n" in files["/etc/hosts"]


def test_fstab_is_what_findmnt_takes(tmp_path: Path) -> None:
    mounts = [
        {"partuuid": "11111111-1111-8111-8111-111111111111", "at": "/srv/data", "type": "ext4", "options": "noatime"},
        {"partuuid": "22222222-2222-8222-8222-222222222222", "at": "/", "type": "ext4", "options": ""},
        {"partuuid": "33333333-3333-8333-8333-333333333333", "at": "/efi", "type": "fat32", "options": "umask=077"},
        {"partuuid": "44444444-4444-8444-8444-444444444444", "at": "none", "type": "linux-swap", "options": ""},
    ]
    file = tmp_path / "fstab"
    file.write_text(files_of({**EMPTY, "mounts": mounts})["/etc/fstab"])
    argv = ["findmnt", "--fstab", "--tab-file", str(file), "--noheadings", "--raw", "--output", "TARGET,FSTYPE,OPTIONS"]
    found = subprocess.run(argv, capture_output=True, text=True, check=True).stdout.splitlines()
    assert found == ["none swap sw", "/ ext4 defaults", "/efi vfat umask=077", "/srv/data ext4 noatime"]
