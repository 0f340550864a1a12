"""The formats of virtual machines: qemu-img reads the same disk in each, and the same disk gives the same bytes."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from oic.image.formats import DISK_FORMATS, convert

from .host import HostTools, output

if TYPE_CHECKING:
    from pathlib import Path

SIZE = 8 << 20
UUID = "0f2a6c1e-2f5b-8d3c-9e4f-aabbccddeeff"
CHECKED = ("qcow2", "vdi", "vhdx", "vmdk")
"""What ``qemu-img check`` knows how to check."""


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    """Return a disk with data at either end and a hole in the middle."""
    path = tmp_path / "disk.raw"
    with path.open("wb") as file:
        file.write(os.urandom(70000))
        file.truncate(SIZE)
        file.seek(SIZE - 4096)
        file.write(os.urandom(4096))
    return path


def converted(raw: Path, word: str, place: str, uuid: str = UUID) -> Path:
    target = raw.parent / place / f"disk.{word}"
    target.parent.mkdir()
    convert(raw, target, word, uuid, HostTools())
    return target


@pytest.mark.parametrize("word", DISK_FORMATS)
def test_a_disk_is_the_same_in_every_format(word: str, raw: Path) -> None:
    made, qemu = converted(raw, word, "one"), DISK_FORMATS[word].QEMU
    assert "identical" in output("qemu-img", "compare", "-f", "raw", "-F", qemu, str(raw), str(made))
    if word in CHECKED:
        said = json.loads(output("qemu-img", "check", "--output=json", "-f", qemu, str(made)))
        assert (said["check-errors"], said.get("corruptions", 0)) == (0, 0)


@pytest.mark.parametrize("word", DISK_FORMATS)
def test_the_same_disk_gives_the_same_bytes(word: str, raw: Path) -> None:
    first, second = (converted(raw, word, place).read_bytes() for place in ("one", "two"))
    assert first == second


@pytest.mark.parametrize("word", sorted(DISK_FORMATS.keys() - {"qcow2"}))
def test_identifiers_come_from_the_uuid(word: str, raw: Path) -> None:
    other = "1f2a6c1e-2f5b-8d3c-9e4f-aabbccddeeff"
    assert converted(raw, word, "one").read_bytes() != converted(raw, word, "two", other).read_bytes()


def test_a_vhd_is_as_azure_wants_it(raw: Path) -> None:
    made = converted(raw, "vhd", "one")
    footer = made.read_bytes()[-512:]
    assert made.stat().st_size == SIZE + 512
    assert int.from_bytes(footer[48:56], "big") == SIZE  # current size
    assert int.from_bytes(footer[60:64], "big") == 2  # a fixed disk
    checksum = int.from_bytes(footer[64:68], "big")
    assert checksum == ~sum(footer[:64] + footer[68:]) & 0xFFFFFFFF


@pytest.mark.parametrize("word", sorted(DISK_FORMATS.keys() - {"qcow2"}))
def test_another_layout_than_qemu_img_writes_is_refused(word: str, tmp_path: Path) -> None:
    path = tmp_path / "other"
    path.write_bytes(bytes(4 << 20))
    with path.open("r+b") as image, pytest.raises(ValueError, match=r"expected .* a (vdi|vhd|vhdx|vmdk)"):
        DISK_FORMATS[word].set_identifiers(image, UUID)
