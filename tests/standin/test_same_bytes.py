"""The same Debian packages give the same bytes in two directories; a second run changes nothing."""

from __future__ import annotations

import hashlib
import os
import shutil
from typing import TYPE_CHECKING

import pytest

from .fixtures import Standin, standin
from .publish import make

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["standin"]

pytestmark = pytest.mark.mirror

SOME = ("filesystem", "bash", "initramfs", "jq", "iputils", "azurelinux-release", "tzdata")


def digests(tree: Path) -> dict[str, str]:
    files = (path for path in tree.rglob("*") if path.is_file())
    return {str(path.relative_to(tree)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_two_directories_get_the_same_bytes(standin: Standin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = next(path for path in standin.folders["azl3"].parents if (path / "debian.json").exists())
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "store").symlink_to(source / "store")
        shutil.copyfile(source / "debian.json", tmp_path / name / "debian.json")
    make(tmp_path / "one", only=SOME)
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    old = os.umask(0o077)
    try:
        make(tmp_path / "two", only=SOME)
    finally:
        os.umask(old)
    one, two = digests(tmp_path / "one/tree"), digests(tmp_path / "two/tree")
    assert len(one) > 2 * len(SOME)
    assert one == two


def test_a_second_run_changes_no_file(standin: Standin) -> None:
    source = next(path for path in standin.folders["azl3"].parents if (path / "debian.json").exists())
    before = {path: path.stat().st_mtime_ns for path in source.rglob("*") if path.name != "lock"}
    make(source)
    assert {path: path.stat().st_mtime_ns for path in source.rglob("*") if path.name != "lock"} == before
