"""How full a file system is: what e2fsprogs and mtools say of the same bytes."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from oic.image.fs.usage import used_bytes

if TYPE_CHECKING:
    from pathlib import Path

MIB = 1 << 20
OFFSET = 3 * MIB


def on_a_disk(image: Path) -> int | None:
    """Return what is said of an image that lies somewhere on a disk."""
    disk = image.with_suffix(".raw")
    disk.write_bytes(bytes(OFFSET) + image.read_bytes() + bytes(MIB))
    with disk.open("rb") as file:
        return used_bytes(file, OFFSET)


@pytest.mark.parametrize("kind", [["-t", "ext4", "-O", "64bit"], ["-t", "ext2"], ["-t", "ext4", "-b", "1024"]])
def test_ext(kind: list[str], tmp_path: Path) -> None:
    tree, image = tmp_path / "tree", tmp_path / "a.img"
    tree.mkdir()
    (tree / "file").write_bytes(b"x" * 5 * MIB)
    subprocess.run(["mkfs.ext4", "-q", *kind, "-d", str(tree), str(image), "32M"], check=True)
    said = subprocess.run(["dumpe2fs", "-h", str(image)], capture_output=True, text=True, check=True).stdout
    blocks, free, size = (
        int(re.findall(rf"^{name}: +(\d+)$", said, re.MULTILINE)[0])
        for name in ("Block count", "Free blocks", "Block size")
    )
    assert on_a_disk(image) == (blocks - free) * size > 5 * MIB


def test_fat32(tmp_path: Path) -> None:
    file, image = tmp_path / "file", tmp_path / "a.img"
    file.write_bytes(b"x" * 5 * MIB)
    with image.open("wb") as empty:
        empty.truncate(64 * MIB)
    subprocess.run(["mkfs.vfat", "-F", "32", "-s", "1", str(image)], check=True, capture_output=True)
    with image.open("rb") as made:
        before = used_bytes(made, 0)
    subprocess.run(["mcopy", "-i", str(image), str(file), "::file"], check=True)
    said = subprocess.run(["fsck.vfat", "-n", str(image)], capture_output=True, text=True, check=True).stdout
    clusters = int(re.findall(r"files, (\d+)/\d+ clusters", said)[0])
    assert on_a_disk(image) == clusters * 512
    assert before == 512


@pytest.mark.parametrize("content", [b"", b"\0" * 4096, b"\xff" * 4096])
def test_what_is_no_known_file_system_is_not_guessed(content: bytes, tmp_path: Path) -> None:
    image = tmp_path / "a.img"
    image.write_bytes(content)
    assert on_a_disk(image) is None
