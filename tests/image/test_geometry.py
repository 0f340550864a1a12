import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from oic.config.model import Disk
from oic.errors import RecipeError
from oic.image.disk.geometry import Problem, layout, problems
from oic.image.disk.gpt import last_usable
from oic.image.disk.kinds import GPT, MIB

from .disks import default_disk, disk, partition

sizes = st.integers(1, 64 * MIB) | st.integers(1, 64).map(lambda count: count * MIB)
spans = st.tuples(st.none() | st.integers(0, 200 * MIB), st.none() | sizes)


@st.composite
def disks(draw: st.DrawFn) -> Disk:
    entries = draw(st.lists(spans, max_size=6))
    partitions = [partition(f"p{number}", start, size) for number, (start, size) in enumerate(entries)]
    return disk(draw(st.integers(4 * MIB, 300 * MIB)) // 512 * 512, partitions)


@given(disks())
def test_what_is_placed_is_aligned_apart_and_inside(asked: Disk) -> None:
    try:
        placed = layout(asked, "seed", GPT)
    except RecipeError:
        return
    taken = sorted((entry.start, entry.start + entry.sectors) for entry in placed.partitions)
    assert all(first_end <= second_start for (_, first_end), (second_start, _) in itertools.pairwise(taken))
    assert [entry.index for entry in placed.partitions] == list(range(1, len(asked.partitions) + 1))
    for entry, wanted in zip(placed.partitions, asked.partitions, strict=True):
        assert entry.offset % MIB == entry.size % MIB == 0
        assert GPT.first_usable < entry.start <= entry.start + entry.sectors - 1 <= last_usable(placed.size)
        if wanted.start is not None:
            assert entry.offset - MIB < wanted.start <= entry.offset
        elif wanted.size is not None:
            assert wanted.size <= entry.size < wanted.size + MIB


@given(st.lists(st.integers(1, 20), min_size=1, max_size=8))
def test_what_surely_fits_is_placed_one_after_the_other(mib: list[int]) -> None:
    entries = [partition(f"p{n}", None, size * MIB) for n, size in enumerate(mib)]
    placed = layout(disk((sum(mib) + 2) * MIB, entries), "s", GPT)
    assert [entry.offset // MIB for entry in placed.partitions] == [1 + sum(mib[:n]) for n in range(len(mib))]
    with pytest.raises(RecipeError, match="expected an end of at most"):
        layout(disk((sum(mib) + 1) * MIB, entries), "s", GPT)


@given(st.integers(2 * MIB, 50 * MIB))
def test_neighbours_that_touch_off_a_boundary_do_not_overlap(border: int) -> None:
    placed = layout(disk(100 * MIB, [partition("a", MIB, border - MIB), partition("b", border, None)]), "s", GPT)
    first, second = placed.partitions
    assert first.offset + first.size <= border <= second.offset
    assert (
        layout(disk(100 * MIB, [partition("a", MIB, None, end=border), partition("b", border, None)]), "s", GPT)
        == placed
    )
    assert (
        layout(
            disk(100 * MIB, [partition("a", None, None, end=border), partition("b", None, None)]), "s", GPT
        ).partitions[0]
        == first
    )


def test_the_rest_ends_before_the_backup_table() -> None:
    placed = layout(default_disk(), "edge", GPT)
    assert [(entry.offset // MIB, entry.size // MIB) for entry in placed.partitions] == [
        (1, 512), (513, 2048), (2561, 500), (3061, 1034),
    ]  # fmt: skip


def test_identity_goes_with_the_id_not_with_the_place() -> None:
    a, b = partition("a", None, MIB), partition("b", None, MIB)
    first, second = layout(disk(9 * MIB, [a, b]), "s", GPT), layout(disk(9 * MIB, [b, a]), "s", GPT)
    assert {e.id: e.part_uuid for e in first.partitions} == {e.id: e.part_uuid for e in second.partitions}
    assert layout(disk(9 * MIB, [a, b]), "other", GPT).disk_uuid != first.disk_uuid


def test_a_partition_without_content_is_not_for_systemd_to_find_by_its_type() -> None:
    swap, home = "0657fd6d-a4ab-43c4-84e5-0933c84b4f4f", "933AC7E1-2EB4-4F13-B844-0E14E2AEF915"
    full = [partition("linux", None, MIB), partition("home", None, MIB, type_uuid=home, flags=("hidden",))]
    empty = [replace(entry, id=f"{entry.id}-empty", fs_type="") for entry in full]
    empty.append(replace(empty[0], id="swap", type_uuid=swap))
    placed = layout(disk(9 * MIB, [*full, *empty]), "s", GPT)
    bits = {entry.id: [bit for bit in range(64) if entry.attributes >> bit & 1] for entry in placed.partitions}
    assert bits == {"linux": [], "home": [62], "linux-empty": [], "home-empty": [62, 63], "swap": [63]}


REFUSED = {
    "inside another": (
        disk(100 * MIB, [partition("a", MIB, 50 * MIB), partition("b", 40 * MIB, 10 * MIB)]),
        "disk.partitions 'b': expected a start at or after 51MiB, where partition 'a' ends, found 40MiB",
    ),
    "too long": (
        disk(100 * MIB, [partition("a", MIB, 100 * MIB)]),
        (
            "disk.partitions 'a': expected an end of at most 99MiB of the disk's 100MiB, found 101MiB"
            ' ("0" is the rest of the disk)'
        ),
    ),
    "in the table": (
        disk(100 * MIB, [partition("a", 0, MIB)]),
        "disk.partitions 'a': expected a start of at least 17KiB, after the partition table, found 0 bytes",
    ),
    "two rests": (
        disk(100 * MIB, [partition("a", None, None), partition("b", None, None)]),
        "disk.partitions 'b': expected one partition to take the rest of the disk, found a second beside 'a'",
    ),
    "after the rest": (
        disk(100 * MIB, [partition("a", None, None), partition("b", 50 * MIB, 10 * MIB)]),
        "disk.partitions 'b': expected a start at or after 99MiB, where partition 'a' ends, found 50MiB",
    ),
    "no room": (
        disk(100 * MIB, [partition("a", None, 98 * MIB), partition("b", None, None)]),
        "disk.partitions 'b': expected room for a partition after 99MiB, found the end of the disk at 99MiB",
    ),
    "nothing left of it": (
        disk(100 * MIB, [partition("a", MIB + 1, MIB)]),
        (
            "disk.partitions 'a': expected an end after the start 2MiB by at least one MiB, found 2MiB"
            " (both are rounded to whole MiB)"
        ),
    ),
    "flag": (
        disk(100 * MIB, [partition("a", None, MIB, flags=("bootable",))]),
        (
            "disk.partitions 'a': expected flags out of bios_grub, bls_boot, boot, diag, esp, grow, hidden, irst, "
            "legacy_boot, lvm, msftdata, msftres, no-auto, prep, raid, read-only, required, swap, found bootable"
        ),
    ),
    "name": (
        disk(100 * MIB, [partition("n" * 37, None, MIB)]),
        f"disk.partitions '{'n' * 37}': expected a name of at most 36 UTF-16 characters, found '{'n' * 37}'",
    ),
    "table": (disk(9 * MIB, [], table="mbr"), "disk.partitionTableType: expected gpt, found mbr"),
    "size in sectors": (disk(9 * MIB + 1, []), "disk.size: expected a multiple of 512 bytes, found 9437185"),
    "no size": (
        disk(0, [partition("a", None, None)]),
        "disk.size: expected the size of a disk with partitions, found none",
    ),
    "one id twice": (disk(9 * MIB, [partition("a", None, MIB)] * 2), "disk.partitions: two partitions have the id 'a'"),
    "too many": (
        disk(200 * MIB, [partition(f"p{number}", None, MIB) for number in range(129)]),
        "disk.partitions: expected at most 128 partitions, as a GPT has room for, found 129",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_placed_is_refused_in_words(name: str) -> None:
    asked, message = REFUSED[name]
    with pytest.raises(RecipeError) as caught:
        layout(asked, "s", GPT)
    assert str(caught.value) == message


def test_of_a_disk_whose_size_is_not_known_the_rest_is_told() -> None:
    start = "expected a start at or after 12MiB, where partition 'a' ends, found 10MiB"
    asked = disk(0, [partition("a", None, 11 * MIB), partition("b", 10 * MIB, MIB), partition("c", None, None)])
    assert list(problems(asked, GPT)) == [Problem(at=1, field="start", text=start)]
    after = disk(0, [partition("a", None, None), partition("b", 10 * MIB, MIB), partition("c", None, MIB)])
    assert [(one.at, one.text) for one in problems(after, GPT)] == [
        (1, "expected a start at or after the end of the disk, where partition 'a' ends, found 10MiB")
    ]


def test_every_problem_is_told_at_once() -> None:
    asked = disk(10 * MIB, [partition("a", 0, MIB), partition("b", 20 * MIB, MIB), partition("c", 20 * MIB, MIB)])
    with pytest.raises(RecipeError) as caught:
        layout(asked, "s", GPT)
    assert [line.split(":")[0] for line in str(caught.value).splitlines()] == [
        "disk.partitions 'a'", "disk.partitions 'b'", "disk.partitions 'c'", "disk.partitions 'c'",
    ]  # fmt: skip
