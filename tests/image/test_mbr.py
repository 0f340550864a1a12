"""The MBR and its chain of extended records, as sfdisk and partx read them."""

from __future__ import annotations

import contextlib
import json
import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from oic.config.partition_types import mbr_type, type_guid, type_names
from oic.errors import RecipeError
from oic.image.disk.geometry import layout
from oic.image.disk.kinds import ALIGNMENT, MBR, MIB
from oic.image.disk.mbr import extended_of
from oic.image.disk.raw import table_of
from oic.values import Bytes

from .disks import ESP, disk, partition
from .host import output

if TYPE_CHECKING:
    from pathlib import Path

    from oic.image.disk.placed import Layout


def _assert_read_back(path: Path, placed: Layout) -> None:
    with path.open("wb") as file:
        file.truncate(placed.size)
        for offset, record in table_of(placed).items():
            file.seek(offset)
            file.write(record)
    verdict = output("sfdisk", "--verify", path)
    assert "No errors detected." in verdict
    assert not re.search("warning|corrupt|overlap|invalid", verdict.lower()), verdict
    table = json.loads(output("sfdisk", "--json", path))["partitiontable"]
    assert (table["label"], int(table["id"], 16)) == ("dos", int(placed.disk_uuid, 16))
    read = table.get("partitions", [])
    extended = [(entry["start"], entry["start"] + entry["size"]) for entry in read if entry["type"] == "5"]
    assert extended == ([extended_of(placed)] if extended_of(placed) else [])
    found = [(int(e["type"], 16), e["start"], e["size"], e.get("bootable", False)) for e in read if e["type"] != "5"]
    assert found == [(int(e.type, 16), e.start, e.sectors, bool(e.attributes)) for e in placed.partitions]
    said = output("partx", "--raw", "--noheadings", "--output", "NR,START,SECTORS,UUID", path)
    rows = [line.split() for line in said.splitlines()]
    by_number = {int(number): (int(start), int(sectors), uuid) for number, start, sectors, uuid in rows}
    assert {e.index: (e.start, e.sectors, e.part_uuid) for e in placed.partitions}.items() <= by_number.items()


@pytest.mark.parametrize("count", [0, 1, 4, 5, 6, 12])
def test_sfdisk_and_partx_find_each_partition(tmp_path: Path, count: int) -> None:
    entries = [partition(f"p{number}", None, 5 * MIB, flags=("boot",) if not number else ()) for number in range(count)]
    placed = layout(disk(100 * MIB, entries, table="mbr"), "seed", MBR)
    _assert_read_back(tmp_path / "disk", placed)
    numbers = [entry.index for entry in placed.partitions]
    assert numbers == ([*range(1, count + 1)] if count <= 4 else [1, 2, 3, *range(5, count + 2)])
    assert all(entry.size == 5 * MIB for entry in placed.partitions)


def test_sfdisk_has_nothing_against_the_largest_disk(tmp_path: Path) -> None:
    _assert_read_back(
        tmp_path / "disk", layout(disk((2 << 40) - MIB, [partition("p", None, MIB)], table="mbr"), "seed", MBR)
    )


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    sizes=st.lists(st.tuples(st.integers(0, 20), st.integers(1, 3000)), min_size=1, max_size=9),
    size=st.integers(40, (2 << 20) - 1),
)
def test_sfdisk_reads_back_whatever_was_placed(tmp_path: Path, sizes: list[tuple[int, int]], size: int) -> None:
    entries, at = [], 1
    for number, (gap, mib) in enumerate(sizes):
        start = (at + gap) * MIB if gap else None
        entries.append(partition(f"p{number}", start, mib * MIB))
        at += gap + mib + 1
    needed = at + 1
    if needed <= size:
        _assert_read_back(tmp_path / "disk", layout(disk(size * MIB, entries, table="mbr"), "seed", MBR))
    else:
        with contextlib.suppress(RecipeError):  # there may just be room, where fewer records are needed
            layout(disk(size * MIB, entries, table="mbr"), "seed", MBR)


def test_a_logical_partition_that_touches_another_begins_a_mib_later_and_the_rest_goes_to_the_end() -> None:
    starts = (1, 11, 21, 31, 41)
    entries = [partition(f"p{at}", at * MIB, None, end=(at + 10) * MIB) for at in starts[:-1]]
    placed = layout(disk(64 * MIB, [*entries, partition("p41", 41 * MIB, None)], table="mbr"), "seed", MBR)
    places = [(entry.offset // MIB, (entry.offset + entry.size) // MIB) for entry in placed.partitions]
    assert places == [(1, 11), (11, 21), (21, 31), (32, 41), (42, 64)]
    assert extended_of(placed) == (31 * ALIGNMENT, 64 * ALIGNMENT)


SIX = [partition(f"p{number}", (1 + 10 * number) * MIB, 8 * MIB) for number in range(6)]
REFUSED = {
    "a primary one among the logical": (
        [*SIX[:2], replace(SIX[5], id="late"), SIX[3], SIX[4], replace(SIX[5], id="last", start=Bytes(61 * MIB))],
        "expected it outside of 30MiB to 69MiB, where partition 'p3' and those after it lie, found 51MiB",
    ),
    "logical ones out of order": (
        [*SIX[:3], SIX[5], SIX[4]],
        "disk.partitions 'p4': expected it after 'p5', as the fourth and later ones of an MBR are a chain, found 41MiB",
    ),
    "a flag of the GPT": (
        [replace(SIX[0], flags=("hidden",))],
        "expected flags out of boot, esp, lba",
    ),
    "a type it does not have": (
        [replace(SIX[0], type_uuid=str(type_guid("bios")))],
        "expected a type that an MBR has, found bios; GRUB's core image is in front of the first partition",
    ),
    "too many": (
        [partition(f"p{number}", None, MIB) for number in range(61)],
        "expected at most 60 partitions, as an MBR has room for, found 61",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_an_mbr_cannot_hold_is_refused_in_words(name: str) -> None:
    entries, message = REFUSED[name]
    with pytest.raises(RecipeError) as caught:
        layout(disk(200 * MIB, entries, table="mbr"), "seed", MBR)
    assert message in str(caught.value)


@pytest.mark.parametrize("size", [2 << 40, 3 << 40])
def test_a_disk_of_more_than_32_bits_of_sectors_is_refused(size: int) -> None:
    found = f"{size >> 40}TiB"
    with pytest.raises(RecipeError, match=f"expected at most 2097151MiB, found {found}"):
        layout(disk(size, [], table="mbr"), "seed", MBR)


def test_types_are_those_of_sfdisk() -> None:
    listed = dict(
        re.findall(r"^ ?([0-9a-f]{1,2})  (.+)$", output("sfdisk", "--label", "dos", "--list-types"), re.MULTILINE)
    )
    wanted = {
        ("esp", ""): "EFI (FAT-12/16/32)",
        ("linux", "ext4"): "Linux",
        ("linux-root-amd64", "ext4"): "Linux",
        ("linux-swap", "linux-swap"): "Linux swap / Solaris",
        ("linux-lvm", ""): "Linux LVM",
        ("linux-raid", ""): "Linux raid autodetect",
        ("linux", "fat32"): "W95 FAT32 (LBA)",
        ("linux", "fat16"): "W95 FAT16 (LBA)",
        ("linux", "fat12"): "FAT12",
        ("microsoft-basic-data", ""): "HPFS/NTFS/exFAT",
    }
    assert {key: listed[mbr_type(str(type_guid(key[0])), key[1]).lstrip("0")] for key in wanted} == wanted
    without = [name for name in type_names() if not mbr_type(str(type_guid(name)), "")]
    assert without == ["bios", "bios-boot"]
    assert mbr_type(ESP.upper(), "") == "ef"
