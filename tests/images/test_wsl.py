"""A root file system for WSL 2: its archive is unpacked, and run as the root of a container."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest
import yaml
from msgspec.json import decode

from .conftest import Built

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.mirror, pytest.mark.slow]

ASKED = """set -e
mount -t proc proc /proc
. /etc/os-release; echo "$ID $VERSION_ID"
dpkg --audit
su me -c 'id -un'
find /boot /usr/lib/modules -type f 2> /dev/null | wc -l
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="unpacking owners and entering the tree needs root")
def test_its_archive_runs_as_the_root_of_a_container(tmp_path: Path) -> None:
    image = Built("wsl", tmp_path, None)
    image.recipe.parent.mkdir()
    recipe = {
        "image": {"name": "wsl", "version": "1.0.0"},
        "target": {"os": "debian", "dist": "debian12", "arch": "x86_64", "imageType": "wsl2"},
        "systemConfig": {"users": [{"name": "me", "password": "secret", "shell": "/bin/sh"}]},
    }
    image.recipe.write_text(yaml.safe_dump(recipe))
    said = image.doit("build")
    assert "initrd:" not in said
    assert "boot:" not in said
    archive = image.directory / "wsl-1.0.0.tar.gz"
    manifest = decode((image.directory / "wsl-1.0.0.manifest.json").read_bytes())
    assert [file["name"] for file in manifest["files"]] == [archive.name]
    assert manifest["reproducible"] is True
    assert not [package for package in manifest["packages"] if package["name"].startswith("linux-image")]
    root = tmp_path / "root"
    root.mkdir()
    subprocess.run(["tar", "-C", root, "-xpf", archive, "--numeric-owner", "--xattrs"], check=True)
    argv = [
        "unshare",
        "--mount",
        "--uts",
        "--ipc",
        "--net",
        "--pid",
        "--fork",
        f"--root={root}",
        "/bin/sh",
        "-c",
        ASKED,
    ]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["debian", "12", "me", "0"]
