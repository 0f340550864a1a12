"""Sizes by content: whatever a tree holds, its file system is made in the room that was computed for it."""

from __future__ import annotations

import os
import random
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from oic.errors import RecipeError
from oic.image.disk.content import ByContent
from oic.image.disk.kinds import MIB
from oic.image.fs import FILE_SYSTEMS
from oic.image.fs.making import make
from oic.image.fs.room import esp_room, room_for
from oic.image.fs.spec import FileSystemSpec
from oic.image.fs.survey import survey_tree
from oic.image.fs.usage import used_bytes
from oic.values import Bytes

from .disks import disk, partition
from .host import HostTools
from .trees import EPOCH, make_odd_tree

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

UUID = "11111111-2222-8333-8444-555555555555"


def _nothing(at: Path) -> None:
    del at


def _many_small(at: Path) -> None:
    for number in range(4000):
        (at / f"a-rather-long-name-of-a-small-file-{number:06}").write_bytes(b"x")


def _one_large(at: Path) -> None:
    (at / "large").write_bytes(random.Random(1).randbytes(100 * MIB))


def _attributes(at: Path) -> None:
    for number in range(500):
        (at / str(number)).touch()
        os.setxattr(at / str(number), "user.x", random.Random(number).randbytes(900))


def _links(at: Path) -> None:
    for number in range(1000):
        (at / f"link-{number}").symlink_to(f"{number}".ljust(1000, "x"))


def _directories(at: Path) -> None:
    for number in range(1500):
        (at / f"d{number}").mkdir()


def _odd(at: Path) -> None:
    make_odd_tree(at / "odd")


TREES: dict[str, Callable[[Path], None]] = {
    "nothing": _nothing,
    "many small files": _many_small,
    "one large file": _one_large,
    "attributes": _attributes,
    "long links": _links,
    "directories": _directories,
    "everything": _odd,
}


@pytest.mark.parametrize(
    ("word", "name"),
    [(word, name) for word in ("ext4", "ext3", "ext2", "btrfs") for name in TREES]
    + [("fat32", "nothing"), ("fat32", "one large file")],
)
def test_a_tree_fits_the_room_computed_for_it_and_the_margin_is_free(word: str, name: str, tmp_path: Path) -> None:
    tree, image = tmp_path / "tree", tmp_path / "image"
    tree.mkdir()
    TREES[name](tree)
    size = room_for(word, survey_tree(tree), FILE_SYSTEMS[word].least)
    spec = FileSystemSpec(type=word, view=tree, at="/", image=image, size=size, uuid=UUID, label="", epoch=EPOCH)
    make(spec, HostTools())
    assert image.stat().st_size == size
    assert size % MIB == 0
    if word.startswith("ext"):
        with image.open("rb") as file:
            used = used_bytes(file, 0)
        assert used is not None
        assert size - used >= 60 * MIB


def test_an_esp_has_room_for_its_files_twice() -> None:
    assert esp_room(0) == 64 * MIB
    assert esp_room(100 * MIB) == 208 * MIB


def test_a_disk_is_placed_by_the_sizes_of_its_content() -> None:
    entries = [
        replace(partition("a", None, MIB), by_content=True),
        partition("b", None, 5 * MIB),
        partition("c", None, None),
    ]
    waiting = ByContent(disk=disk(0, entries), seed="s", is_legacy=False)
    assert waiting.waits
    placed = waiting.placed({"a": Bytes(10 * MIB), "c": Bytes(20 * MIB)})
    assert [(entry.offset // MIB, entry.size // MIB) for entry in placed.partitions] == [(1, 10), (11, 5), (16, 20)]
    assert placed.size == 37 * MIB
    early = waiting.placed({})
    assert [entry.part_uuid for entry in early.partitions] == [entry.part_uuid for entry in placed.partitions]


def test_the_rest_of_a_disk_of_a_given_size_is_what_content_leaves() -> None:
    entries = [replace(partition("a", None, MIB), by_content=True), partition("rest", None, None)]
    waiting = ByContent(disk=disk(64 * MIB, entries), seed="s", is_legacy=True)
    placed = waiting.placed({"a": Bytes(10 * MIB)})
    assert [(entry.id, entry.offset // MIB, entry.size // MIB) for entry in placed.partitions[:2]] == [
        ("a", 1, 10), ("rest", 11, 52),
    ]  # fmt: skip
    with pytest.raises(RecipeError, match="expected an end of at most 63MiB of the disk's 64MiB, found 71MiB"):
        waiting.placed({"a": Bytes(70 * MIB)})


def test_a_disk_of_given_sizes_waits_for_nothing() -> None:
    assert not ByContent(disk=disk(64 * MIB, [partition("a", None, None)]), seed="s", is_legacy=False).waits
    fixed = ByContent(disk=disk(0, [partition("a", None, 5 * MIB)]), seed="s", is_legacy=False)
    assert (fixed.waits, fixed.placed({}).size) == (False, 7 * MIB)
