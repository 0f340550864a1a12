"""Places the partitions of a recipe on the disk. Pure; no other module computes positions.

    | MBR | GPT | ...gap to 1 MiB | partition | partition | ... | less than 1 MiB | backup GPT |

* A sector has 512 bytes. Every partition begins and ends on a multiple of 1 MiB.
* The start of a recipe is rounded up to such a multiple and the end rounded down, so that partitions which touch in the
  recipe do not overlap. A size without a start is rounded up, so that a partition is never smaller than asked for.
* Without a start, a partition begins where the previous one in the table ends, as with sgdisk(8).
* A logical partition of an MBR has the MiB before it for its record: one that touches the partition before it in the
  recipe begins a MiB later.
* The rest of the disk ends at the last whole MiB before the backup table. Only one partition can take it.
* Partition numbers follow the order of the table, which may differ from the order on the disk.
* A problem names the partition and the field at fault, so that the reader of the recipe can add the line.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from oic.config.partition_types import mbr_type, type_guid, type_name
from oic.config.sizes import SECTOR, shown_size
from oic.errors import RecipeError
from oic.image.disk.attributes import attributes_of, flags_of
from oic.image.disk.kinds import ALIGNMENT, GPT, MIB
from oic.image.disk.placed import Layout, PlacedPartition
from oic.image.seeds import uuid_for, volume_id_for
from oic.values import Sector, Value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from oic.config.model import Disk, Partition
    from oic.image.disk.kinds import TableKind


class Problem(Value):
    """Why a partition cannot be placed: `at` is its index in the disk's list, None for a problem of the whole list.

    `field` is the field at fault: start, end (or size, if that was given), name or flags.
    """

    at: int | None
    field: str
    text: str


class _Span(Value):
    """The first sector of a partition and the first after it, or None at the end of a disk of unknown size."""

    at: int
    entry: Partition
    start: int
    end: int | None


def layout(disk: Disk, seed: str, kind: TableKind) -> Layout:
    """Place a disk's partitions; raises RecipeError that names every partition which cannot be placed.

    The disk's GUID is derived from `seed`, a PARTUUID from `seed` and the partition's id: it stays when others change.
    An MBR has no PARTUUIDs: what Linux calls so is the disk's signature with the partition's number.
    """
    if refused := _disk_problems(disk, kind):
        raise RecipeError("\n".join(refused))
    if found := list(problems(disk, kind)):
        ids = ["", *(f" '{entry.id}'" for entry in disk.partitions)]
        lines = [f"disk.partitions{ids[0 if one.at is None else one.at + 1]}: {one.text}" for one in found]
        raise RecipeError("\n".join(lines))
    identity = f"{volume_id_for(seed, 'disk'):08x}" if kind != GPT else uuid_for(seed, "disk")
    first = first_logical(disk, kind)
    placed = tuple(
        PlacedPartition(
            index=(number := span.at + 1 + (span.at >= first)),
            id=span.entry.id,
            name=span.entry.name,
            type=span.entry.type_uuid.lower() if kind == GPT else mbr_type(span.entry.type_uuid, span.entry.fs_type),
            part_uuid=uuid_for(seed, f"partition {span.entry.id}") if kind == GPT else f"{identity}-{number:02x}",
            start=Sector(span.start),
            sectors=Sector((span.end or 0) - span.start),
            attributes=attributes_of(span.entry, kind),
        )
        for span in _spans(disk, kind)
    )
    return Layout(size=disk.size, table=kind.name, disk_uuid=identity, partitions=placed)


def first_logical(disk: Disk, kind: TableKind) -> int:
    """Return the index of the first partition that lies in an extended one; the count of all where none does."""
    count = len(disk.partitions)
    return kind.slots - 1 if count > kind.slots else count


def problems(disk: Disk, kind: TableKind) -> Iterator[Problem]:
    """Yield why partitions cannot be placed. A disk of size 0 has an unknown size; not all can be checked then."""
    if len(disk.partitions) > kind.max_partitions:
        room = f"expected at most {kind.max_partitions} partitions, as {kind.article} {kind.name.upper()} has room for"
        text = f"{room}, found {len(disk.partitions)}"
        yield Problem(at=None, field="", text=text)
    for at, entry in enumerate(disk.partitions):
        for field, text in _entry_problems(entry, kind):
            yield Problem(at=at, field=field, text=text)
    rest = [at for at, entry in enumerate(disk.partitions) if _is_rest(entry)]
    for at in rest[1:]:
        beside = disk.partitions[rest[0]].id
        text = f"expected one partition to take the rest of the disk, found a second beside '{beside}'"
        yield Problem(at=at, field="end", text=text)
    if len(rest) < 2:
        spans = _spans(disk, kind)
        for span in spans:
            for field, text in _span_problems(disk, span, kind):
                yield Problem(at=span.at, field=field, text=text)
        yield from _overlaps(spans)
        first = first_logical(disk, kind)
        logical = [span for span in spans if span.at >= first]
        yield from _order_problems([span for span in spans if span.at < first], logical)


def sectors_of(disk: Disk, kind: TableKind) -> dict[int, tuple[int, int]]:
    """Return first sector and number of sectors of each partition, as far as known, by its index in the disk's list.

    The number may be negative.
    """
    return {span.at: (span.start, span.end - span.start) for span in _spans(disk, kind) if span.end is not None}


def _disk_problems(disk: Disk, kind: TableKind) -> list[str]:
    """Return problems that a validated recipe cannot have: another kind of table, an invalid size, duplicate ids."""
    found = []
    if disk.size > kind.max_size:
        found.append(f"disk.size: expected at most {shown_size(kind.max_size)}, found {shown_size(disk.size)}")
    if disk.table != kind.name:
        found.append(f"disk.partitionTableType: expected {kind.name}, found {disk.table}")
    if disk.size % SECTOR:
        found.append(f"disk.size: expected a multiple of {SECTOR} bytes, found {disk.size}")
    if disk.partitions and not disk.size:
        found.append("disk.size: expected the size of a disk with partitions, found none")
    ids = [entry.id for entry in disk.partitions]
    found += [
        f"disk.partitions: two partitions have the id '{name}'" for name in sorted({i for i in ids if ids.count(i) > 1})
    ]
    return found


def _is_rest(entry: Partition) -> bool:
    return entry.end is None and entry.size is None


def _end_of_space(disk: Disk, kind: TableKind) -> int | None:
    """Return the first sector after the last usable MiB; None for a disk of unknown size."""
    return (disk.size // SECTOR - kind.backup_sectors) // ALIGNMENT * ALIGNMENT if disk.size else None


def _spans(disk: Disk, kind: TableKind) -> list[_Span]:
    """Return the sectors of each partition; they may lie outside the disk or overlap."""
    spans: list[_Span] = []
    free: int | None = ALIGNMENT
    first = first_logical(disk, kind)
    for at, entry in enumerate(disk.partitions):
        if entry.start is None and free is None:
            continue  # it follows the one that takes the rest of a disk of unknown size
        start = _up(entry.start) if entry.start is not None else free or 0
        if at >= first and start == free:
            start += ALIGNMENT  # behind its record
        span = _Span(at=at, entry=entry, start=start, end=_end_of(entry, start, disk, kind))
        spans.append(span)
        free = None if span.end is None else max(start, span.end)
    return spans


def _end_of(entry: Partition, start: int, disk: Disk, kind: TableKind) -> int | None:
    if entry.end is not None:
        return _down(entry.end)
    if entry.size is None:
        return _end_of_space(disk, kind)
    return start + _up(entry.size) if entry.start is None else _down(entry.start + entry.size)


def _up(size: int) -> int:
    """Return bytes as sectors, rounded up to a whole MiB."""
    return -(-size // MIB) * ALIGNMENT


def _down(size: int) -> int:
    return size // MIB * ALIGNMENT


def _entry_problems(entry: Partition, kind: TableKind) -> Iterator[tuple[str, str]]:
    if kind.max_name and len(entry.name.encode("utf-16-le")) > 2 * kind.max_name:
        yield "name", f"expected a name of at most {kind.max_name} UTF-16 characters, found '{entry.name}'"
    flags = flags_of(kind)
    if unknown := sorted(set(entry.flags) - set(flags)):
        yield "flags", f"expected flags out of {', '.join(flags)}, found {', '.join(unknown)}"
    if kind != GPT and entry.type_uuid and not mbr_type(entry.type_uuid, entry.fs_type):
        without = (
            "; GRUB's core image is in front of the first partition" if entry.type_uuid == type_guid("bios") else ""
        )
        text = f"expected a type that {kind.article} {kind.name.upper()} has, found {type_name(entry.type_uuid)}"
        yield "type", f"{text}{without}"


def _order_problems(primary: list[_Span], logical: list[_Span]) -> Iterator[Problem]:
    """Yield why an MBR of more than four partitions cannot have them in this order."""
    if not logical:
        return
    start, end = logical[0].start - ALIGNMENT, logical[-1].end
    where = f"{_size_text(start)} to {'the end of the disk' if end is None else _size_text(end)}"
    for span in primary:
        if (end is None or span.start < end) and (span.end or start + 1) > start:
            text = f"expected it outside of {where}, where partition '{logical[0].entry.id}' and those after it lie"
            yield Problem(at=span.at, field="start", text=f"{text}, found {_size_text(span.start)}")
    for before, after in itertools.pairwise(logical):
        if before.end is not None and after.start < before.end:
            text = f"expected it after '{before.entry.id}', as the fourth and later ones of an MBR are a chain"
            yield Problem(at=after.at, field="start", text=f"{text}, found {_size_text(after.start)}")


def _span_problems(disk: Disk, span: _Span, kind: TableKind) -> Iterator[tuple[str, str]]:
    """Yield why a partition overlaps a partition table or does not fit."""
    entry, limit = span.entry, _end_of_space(disk, kind)
    if entry.start is not None and entry.start < kind.first_usable * SECTOR:
        table = f"{shown_size(kind.first_usable * SECTOR)}, after the partition table"
        yield "start", f"expected a start of at least {table}, found {shown_size(entry.start)}"
    elif span.end is None:
        return
    elif span.end <= span.start and _is_rest(entry):
        found = f"found the end of the disk at {_size_text(span.end)}"
        yield "end", f"expected room for a partition after {_size_text(span.start)}, {found}"
    elif span.end <= span.start:
        expected, rounded = f"expected an end after the start {_size_text(span.start)}", _size_text(span.end)
        yield "end", f"{expected} by at least one MiB, found {rounded} (both are rounded to whole MiB)"
    elif limit is not None and span.end > limit:
        room = f"at most {_size_text(limit)} of the disk's {shown_size(disk.size)}"
        yield "end", f'expected an end of {room}, found {_size_text(span.end)} ("0" is the rest of the disk)'


def _overlaps(spans: list[_Span]) -> Iterator[Problem]:
    ordered = sorted(spans, key=lambda span: (span.start, span.end or 0))
    for before, after in itertools.pairwise(ordered):
        if before.end is None or before.end > after.start:
            where = "the end of the disk" if before.end is None else _size_text(before.end)
            found = f"partition '{before.entry.id}' ends, found {_size_text(after.start)}"
            yield Problem(at=after.at, field="start", text=f"expected a start at or after {where}, where {found}")


def _size_text(sectors: int) -> str:
    return shown_size(sectors * SECTOR) if sectors else "0"
