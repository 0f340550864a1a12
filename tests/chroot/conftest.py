"""A root directory with a few of the host's own programs in it, enough to try to break out of."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

PROGRAMS = ("sh", "cat", "ls", "id", "mount", "umount", "unshare", "mkdir", "touch", "chown", "sleep", "stat", "env")


def put_program(root: Path, name: str) -> None:
    found = shutil.which(name)
    assert found, f"the host has no {name}"
    said = subprocess.run(["ldd", found], capture_output=True, text=True, check=False).stdout
    libraries = [word for word in said.split() if word.startswith("/")]
    for source in [found, *libraries]:
        target = root / source.lstrip("/")
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(Path(source).resolve(), target)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    tree = tmp_path / "root"
    for name in PROGRAMS:
        put_program(tree, name)
    # Wherever the host keeps them, a sandbox's PATH finds them in one of these.
    for place in ("usr/bin", "bin"):
        (tree / place).mkdir(parents=True, exist_ok=True)
    return tree
