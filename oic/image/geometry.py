"""Where each partition lies: from the recipe's disk to placed partitions. Pure.

    | MBR | GPT | ...gap to 1 MiB | partition | partition | ... | less than 1 MiB | backup GPT |

* Sectors are of 512 bytes. Every partition begins and ends on a multiple of 1 MiB.
* A start and an end of the recipe that are not such multiples are drawn together (start up, end down), so that
  neighbours which touch in the recipe never overlap; a size without a start is rounded up: nobody gets less than asked.
* "The rest" reaches to the next partition with a start of its own, or to the last whole MiB before the backup table.
* Numbers follow the order of the recipe, whatever the order on the disk.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from oic.config.partition_types import type_guid
from oic.errors import RecipeError
from oic.image.seeds import uuid_for
from oic.values import Bytes, Sector

if TYPE_CHECKING:
    from collections.abc import Sequence

    from oic.config.model import Disk, Partition

SECTOR = 512
MIB = 1 << 20
ALIGNMENT = MIB // SECTOR
MAX_PARTITIONS = 128
# UEFI 2.10 section 5.3.1: 16,384 bytes for the entries, one sector for the header, and in front the protective MBR.
FIRST_USABLE = Sector(34)
BACKUP_SECTORS = 33

# Attribute bits: UEFI 2.10 table 5.8, the Discoverable Partitions Specification; 62 is Microsoft's for basic data.
ATTRIBUTES = {"required": 0, "legacy_boot": 2, "grow": 59, "read-only": 60, "hidden": 62, "no-auto": 63}
# Flags of parted's vocabulary that a GPT says by the partition's type: nothing is left to set.
TYPE_FLAGS = frozenset({"bios_grub", "boot", "esp", "swap"})
# Types that systemd-gpt-auto-generator(8) makes units of wherever it finds them; without content those fail.
_FOUND = ("linux-swap", "linux-home", "linux-srv", "linux-var", "linux-tmp", "xbootldr")
AUTOMATIC = frozenset(type_guid(name) for name in _FOUND)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedPartition:
    """A partition with its place: `index` counts from 1, `attributes` are the GPT entry's 64 bits."""

    index: int
    id: str
    name: str
    type_uuid: str
    part_uuid: str
    start: Sector
    sectors: Sector
    attributes: int

    @property
    def offset(self) -> Bytes:
        """Where it begins on the disk."""
        return Bytes(self.start * SECTOR)

    @property
    def size(self) -> Bytes:
        """How long it is."""
        return Bytes(self.sectors * SECTOR)


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """A whole disk: its size, its GUID and its partitions in table order."""

    size: Bytes
    disk_uuid: str
    partitions: tuple[PlacedPartition, ...]

    @property
    def last_usable(self) -> Sector:
        """The last sector before the backup table."""
        return _last_usable(self.size)


def layout(disk: Disk, seed: str) -> Layout:
    """Place a disk's partitions; raises RecipeError naming every partition that cannot be placed.

    `seed` decides the disk's GUID and the PARTUUIDs, each by the partition's id: moving one keeps its identity.
    """
    problems = [*_disk_problems(disk), *(text for entry in disk.partitions for text in _entry_problems(entry))]
    if problems:
        raise RecipeError("\n".join(problems))
    spans = _spans(disk)
    problems = [*_span_problems(disk, spans), *_overlaps(disk.partitions, spans)]
    if problems:
        raise RecipeError("\n".join(problems))
    placed = tuple(
        PlacedPartition(
            index=number,
            id=entry.id,
            name=entry.name,
            type_uuid=entry.type_uuid.lower(),
            part_uuid=uuid_for(seed, f"partition {entry.id}"),
            start=Sector(start),
            sectors=Sector(end - start),
            attributes=sum(1 << ATTRIBUTES[flag] for flag in _flags(entry)),
        )
        for number, (entry, (start, end)) in enumerate(zip(disk.partitions, spans, strict=True), 1)
    )
    return Layout(size=disk.size, disk_uuid=uuid_for(seed, "disk"), partitions=placed)


def _flags(entry: Partition) -> set[str]:
    """Return the flags a partition has: one without content must not be mounted or swapped on by its type alone."""
    empty = not entry.fs_type and entry.type_uuid.lower() in AUTOMATIC
    return set(entry.flags) - TYPE_FLAGS | ({"no-auto"} if empty else set())


def _last_usable(size: Bytes) -> Sector:
    return Sector(size // SECTOR - BACKUP_SECTORS - 1)


def _end_of_space(size: Bytes) -> int:
    """Return the first sector that no partition may have: the last whole MiB ends there."""
    return (_last_usable(size) + 1) // ALIGNMENT * ALIGNMENT


def _spans(disk: Disk) -> list[tuple[int, int]]:
    """Return first sector and first sector after, of each partition; may lie outside the disk or overlap."""
    starts = sorted(_up(entry.start) for entry in disk.partitions if entry.start is not None)
    spans: list[tuple[int, int]] = []
    cursor = ALIGNMENT
    for entry in disk.partitions:
        begin = cursor if entry.start is None else _up(entry.start)
        if entry.size is None:
            end = next((start for start in starts if start > begin), _end_of_space(disk.size))
        elif entry.start is None:
            end = begin + _up(entry.size)
        else:
            end = (entry.start + entry.size) // MIB * ALIGNMENT
        spans.append((begin, end))
        cursor = max(begin, end)
    return spans


def _up(size: Bytes) -> int:
    """Return bytes as sectors, up to the next MiB."""
    return -(-size // MIB) * ALIGNMENT


def _disk_problems(disk: Disk) -> list[str]:
    problems = []
    if disk.table != "gpt":
        problems.append(f"disk.partitionTableType: expected gpt, found {disk.table}")
    if disk.size % SECTOR:
        problems.append(f"disk.size: expected a multiple of {SECTOR} bytes, found {disk.size}")
    if len(disk.partitions) > MAX_PARTITIONS:
        problems.append(f"disk.partitions: a GPT has room for {MAX_PARTITIONS}, found {len(disk.partitions)}")
    ids = [entry.id for entry in disk.partitions]
    problems += [f"disk.partitions: two have the id '{name}'" for name in sorted({i for i in ids if ids.count(i) > 1})]
    return problems


def _entry_problems(entry: Partition) -> list[str]:
    problems = []
    if len(entry.name.encode("utf-16-le")) > 72:  # UEFI 2.10 table 5.7: 72 bytes
        problems.append(f"{_where(entry)}: a partition's name has at most 36 characters, found '{entry.name}'")
    unknown = sorted(set(entry.flags) - set(ATTRIBUTES) - TYPE_FLAGS)
    if unknown:
        known = ", ".join(sorted({*ATTRIBUTES, *TYPE_FLAGS}))
        problems.append(f"{_where(entry)}: unknown flag {', '.join(unknown)} (known: {known})")
    return problems


def _span_problems(disk: Disk, spans: Sequence[tuple[int, int]]) -> list[str]:
    """Name each partition that lies before the first MiB, is empty, or reaches into the backup table."""
    limit = _end_of_space(disk.size)
    problems = []
    for entry, (start, end) in zip(disk.partitions, spans, strict=True):
        if start < ALIGNMENT:
            problems.append(f"{_where(entry)}: starts in the first MiB, which holds the partition table (start: 1MiB)")
        elif end > limit:
            problems.append(
                f"{_where(entry)}: does not fit: needs a disk of {_mib(end) + 1} MiB, has {disk.size // MIB} MiB"
                f" (raise disk.size, or end at {_mib(limit)}MiB or the rest of the disk)"
            )
        elif end <= start:
            rest = "no room is left for it" if entry.size is None else "is smaller than 1 MiB"
            problems.append(f"{_where(entry)}: {rest}: it would lie from {_mib(start)} MiB to {_mib(end)} MiB")
    return problems


def _overlaps(partitions: Sequence[Partition], spans: Sequence[tuple[int, int]]) -> list[str]:
    order = sorted(zip(spans, partitions, strict=True), key=lambda item: item[0])
    return [
        f"{_where(second)}: starts at {_mib(start)} MiB, inside {first.id}, which ends at {_mib(end)} MiB"
        for ((_, end), first), ((start, _), second) in itertools.pairwise(order)
        if start < end
    ]


def _where(entry: Partition) -> str:
    return f"disk.partitions '{entry.id}'"


def _mib(sectors: int) -> int:
    return sectors // ALIGNMENT
