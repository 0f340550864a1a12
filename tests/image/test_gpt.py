"""The table as sfdisk reads it; where sgdisk is installed, as that does too."""

import json
import re
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oic.image.disk.geometry import layout
from oic.image.disk.gpt import last_usable, to_table
from oic.image.disk.kinds import GPT, MIB
from oic.image.disk.placed import Layout

from .disks import default_disk, disk, partition
from .host import output


def _written(path: Path, placed: Layout) -> Path:
    table = to_table(placed)
    with path.open("wb") as file:
        file.truncate(placed.size)
        file.write(table.head)
        file.seek(placed.size - len(table.tail))
        file.write(table.tail)
    return path


def _assert_read_back(path: Path, placed: Layout) -> None:
    verdict = output("sfdisk", "--verify", path)
    assert "No errors detected." in verdict
    assert not re.search("warning|corrupt|mismatch|not |invalid", verdict.lower()), verdict
    table = json.loads(output("sfdisk", "--json", path))["partitiontable"]
    assert (table["label"], table["id"].lower()) == ("gpt", placed.disk_uuid)
    assert (table["firstlba"], table["lastlba"]) == (34, last_usable(placed.size))
    read = table.get("partitions", [])
    found = [(e["start"], e["size"], e["type"].lower(), e["uuid"].lower(), e.get("name", "")) for e in read]
    assert found == [(e.start, e.sectors, e.type, e.part_uuid, e.name) for e in placed.partitions]
    if shutil.which("sgdisk"):
        assert "No problems found" in output("sgdisk", "-v", path)


def test_sfdisk_finds_the_default_disk_without_a_complaint(tmp_path: Path) -> None:
    placed = layout(default_disk(), "edge", GPT)
    path = _written(tmp_path / "disk", placed)
    _assert_read_back(path, placed)
    table = json.loads(output("sfdisk", "--json", path))["partitiontable"]
    attributes = [entry.get("attrs", "") for entry in table["partitions"]]
    assert attributes == ["", "GUID:60", "GUID:62,63", "GUID:59"]


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    names=st.lists(st.text("aß→\U0001f600 /", max_size=18), max_size=4),
    size=st.integers(10 * MIB // 512, 3 << 32).map(lambda sectors: sectors * 512),
)
def test_sfdisk_reads_back_whatever_was_written(tmp_path: Path, names: list[str], size: int) -> None:
    entries = [partition(f"{n}", None, MIB) for n in range(len(names))]
    placed = layout(disk(size, entries), "seed", GPT)
    _assert_read_back(_written(tmp_path / "disk", placed), placed)


def test_the_largest_table_is_full(tmp_path: Path) -> None:
    placed = layout(disk(130 * MIB, [partition(f"p{n}", None, MIB) for n in range(128)]), "seed", GPT)
    _assert_read_back(_written(tmp_path / "disk", placed), placed)


@pytest.mark.parametrize(("at", "word"), [(512, "primary GPT table is corrupt"), (-512, "backup GPT table is corrupt")])
def test_either_copy_stands_in_for_the_other(tmp_path: Path, at: int, word: str) -> None:
    placed = layout(default_disk(), "edge", GPT)
    path = _written(tmp_path / "disk", placed)
    with path.open("r+b") as file:
        file.seek(at, 0 if at > 0 else 2)
        file.write(bytes(8))
    said = output("sfdisk", "--list", path)
    assert word in said
    assert all(str(entry.start) in said for entry in placed.partitions)
