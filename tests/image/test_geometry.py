import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oic.config.model import Disk
from oic.errors import RecipeError
from oic.image.geometry import FIRST_USABLE, MIB, layout

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
        placed = layout(asked, "seed")
    except RecipeError:
        return
    taken = sorted((entry.start, entry.start + entry.sectors) for entry in placed.partitions)
    assert all(first_end <= second_start for (_, first_end), (second_start, _) in itertools.pairwise(taken))
    assert [entry.index for entry in placed.partitions] == list(range(1, len(asked.partitions) + 1))
    for entry, wanted in zip(placed.partitions, asked.partitions, strict=True):
        assert entry.offset % MIB == entry.size % MIB == 0
        assert FIRST_USABLE < entry.start <= entry.start + entry.sectors - 1 <= placed.last_usable
        if wanted.start is not None:
            assert entry.offset - MIB < wanted.start <= entry.offset
        elif wanted.size is not None:
            assert wanted.size <= entry.size < wanted.size + MIB


@given(st.lists(st.integers(1, 20), min_size=1, max_size=8))
def test_what_surely_fits_is_placed_one_after_the_other(mib: list[int]) -> None:
    entries = [partition(f"p{n}", None, size * MIB) for n, size in enumerate(mib)]
    placed = layout(disk((sum(mib) + 2) * MIB, entries), "s")
    assert [entry.offset // MIB for entry in placed.partitions] == [1 + sum(mib[:n]) for n in range(len(mib))]
    with pytest.raises(RecipeError, match="does not fit"):
        layout(disk((sum(mib) + 1) * MIB, entries), "s")


@given(st.integers(2 * MIB, 50 * MIB))
def test_neighbours_that_touch_off_a_boundary_do_not_overlap(border: int) -> None:
    placed = layout(disk(100 * MIB, [partition("a", MIB, border - MIB), partition("b", border, None)]), "s")
    first, second = placed.partitions
    assert first.offset + first.size <= border <= second.offset


def test_the_rest_ends_before_the_backup_table_or_the_next_partition() -> None:
    placed = layout(default_disk(), "edge")
    assert [(entry.offset // MIB, entry.size // MIB) for entry in placed.partitions] == [
        (1, 512), (513, 2048), (2561, 500), (3061, 1034),
    ]  # fmt: skip
    between = layout(disk(100 * MIB, [partition("a", None, None), partition("b", 50 * MIB, 10 * MIB)]), "s")
    assert between.partitions[0].size == 49 * MIB


def test_identity_goes_with_the_id_not_with_the_place() -> None:
    a, b = partition("a", None, MIB), partition("b", None, MIB)
    first, second = layout(disk(9 * MIB, [a, b]), "s"), layout(disk(9 * MIB, [b, a]), "s")
    assert {e.id: e.part_uuid for e in first.partitions} == {e.id: e.part_uuid for e in second.partitions}
    assert layout(disk(9 * MIB, [a, b]), "other").disk_uuid != first.disk_uuid


def test_a_partition_without_content_is_not_for_systemd_to_find_by_its_type() -> None:
    swap, home = "0657fd6d-a4ab-43c4-84e5-0933c84b4f4f", "933AC7E1-2EB4-4F13-B844-0E14E2AEF915"
    full = [partition("linux", None, MIB), partition("home", None, MIB, type_uuid=home, flags=("hidden",))]
    empty = [replace(entry, id=f"{entry.id}-empty", fs_type="") for entry in full]
    empty.append(replace(empty[0], id="swap", type_uuid=swap))
    placed = layout(disk(9 * MIB, [*full, *empty]), "s")
    bits = {entry.id: [bit for bit in range(64) if entry.attributes >> bit & 1] for entry in placed.partitions}
    assert bits == {"linux": [], "home": [62], "linux-empty": [], "home-empty": [62, 63], "swap": [63]}


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (
            disk(100 * MIB, [partition("a", MIB, 50 * MIB), partition("b", 40 * MIB, 10 * MIB)]),
            "disk.partitions 'b': starts at 40 MiB, inside a, which ends at 51 MiB",
        ),
        (
            disk(100 * MIB, [partition("a", MIB, 100 * MIB)]),
            (
                "disk.partitions 'a': does not fit: needs a disk of 102 MiB, has 100 MiB"
                " (raise disk.size, or end at 99MiB or the rest of the disk)"
            ),
        ),
        (
            disk(100 * MIB, [partition("a", 0, MIB)]),
            "disk.partitions 'a': starts in the first MiB, which holds the partition table (start: 1MiB)",
        ),
        (
            disk(100 * MIB, [partition("a", None, None), partition("b", None, None)]),
            "disk.partitions 'b': no room is left for it: it would lie from 99 MiB to 99 MiB",
        ),
        (
            disk(100 * MIB, [partition("a", MIB + 1, MIB)]),
            "disk.partitions 'a': is smaller than 1 MiB: it would lie from 2 MiB to 2 MiB",
        ),
        (
            disk(100 * MIB, [partition("a", None, MIB, flags=("bootable",))]),
            (
                "disk.partitions 'a': unknown flag bootable (known: bios_grub, boot, esp, grow, hidden, legacy_boot,"
                " no-auto, read-only, required, swap)"
            ),
        ),
        (
            disk(100 * MIB, [partition("n" * 37, None, MIB)]),
            f"disk.partitions '{'n' * 37}': a partition's name has at most 36 characters, found '{'n' * 37}'",
        ),
        (disk(9 * MIB, [partition("a", None, MIB)] * 2), "disk.partitions: two have the id 'a'"),
        (disk(9 * MIB, [], table="mbr"), "disk.partitionTableType: expected gpt, found mbr"),
        (disk(9 * MIB + 1, []), "disk.size: expected a multiple of 512 bytes, found 9437185"),
    ],
)
def test_what_cannot_be_placed_is_refused_in_words(asked: Disk, message: str) -> None:
    with pytest.raises(RecipeError) as caught:
        layout(asked, "s")
    assert str(caught.value) == message


def test_every_problem_is_told_at_once() -> None:
    asked = disk(10 * MIB, [partition("a", 0, MIB), partition("b", 20 * MIB, MIB), partition("c", 20 * MIB, MIB)])
    with pytest.raises(RecipeError) as caught:
        layout(asked, "s")
    assert [line.split(":")[0] for line in str(caught.value).splitlines()] == [
        "disk.partitions 'a'", "disk.partitions 'b'", "disk.partitions 'c'", "disk.partitions 'c'",
    ]  # fmt: skip
