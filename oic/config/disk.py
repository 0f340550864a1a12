"""The ``disk`` of a recipe: whether its partitions can be, and the values they become.

* Table order is the order written, unless ``index`` says otherwise.
* ``end`` is where the next partition may begin (exclusive); ``"0"`` is the rest of the disk. A ``start`` of ``"0"``, or
  none, is the next free MiB, as sgdisk(8) has it.
* The GPT takes 34 sectors at the front and 33 at the end (UEFI specification 2.10, section 5.3.1).
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from oic.config.model import Disk, Partition
from oic.config.partition_types import type_guid, type_names
from oic.config.schema import did_you_mean
from oic.config.sizes import ALIGNMENT, SECTOR, parse_size, shown_size
from oic.values import Bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from oic.config.source import Node

_FRONT = 34 * SECTOR
_BACK = 33 * SECTOR
_FILE_SYSTEMS = {"vfat": "fat32", "swap": "linux-swap", "none": "", "unformatted": ""}
_NOT_IN_FAT = frozenset('"*:<>?\\|+,.;=[]')
_LABEL_LENGTH = {"fat32": 11, "fat16": 11, "fat12": 11, "xfs": 12, "linux-swap": 16}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where a partition begins and ends; an `end` of None is the rest of a disk whose size is not known."""

    node: Node
    start: int
    end: int | None


def disk_of(disk: Node) -> Disk:
    """Return the values of a disk that has no problems; a size that is not given, or ``auto``, is 0."""
    places = {id(place.node): place for place in _places(disk)}
    partitions = tuple(_partition(node, places[id(node)]) for node in _in_table_order(disk))
    table = disk.get("partitionTableType").text or "gpt"
    return Disk(size=Bytes(_size(disk.get("size")) or 0), table=table, partitions=partitions)


def disk_problems(disk: Node) -> Iterator[tuple[Node, str]]:
    """Say everything that is wrong with a disk beyond its schema."""
    for node in (disk.get("size"), *(item.get(key) for item in _items(disk) for key in ("start", "end", "size"))):
        if node.text not in {"", "0", "auto"} and (said := _size_problem(node)):
            yield node, said
    for node in _items(disk):
        yield from _partition_problems(node)
    rest = [node for node in _items(disk) if node.get("end").text == "0"]
    for node in rest[1:]:
        first = rest[0].get("id").text
        yield node.get("end"), f"expected one partition to take the rest of the disk, found a second beside '{first}'"
    if len(rest) < 2:
        yield from _place_problems(disk)


def file_system(word: str) -> str:
    """Return one word for each file system: ``vfat`` is ``fat32``, ``none`` is empty."""
    return _FILE_SYSTEMS.get(word, word)


def is_swap(partition: Node) -> bool:
    """Tell whether a partition is of the type of swap space."""
    return _type_of(partition) == type_guid("linux-swap")


def mount_point(word: str) -> str:
    """Return a mount point without a slash at its end; ``none`` is empty."""
    return "" if word in {"", "none"} else word.rstrip("/") or "/"


def _items(disk: Node) -> list[Node]:
    return disk.get("partitions").items


def _in_table_order(disk: Node) -> list[Node]:
    numbered = enumerate(_items(disk), start=1)
    return [node for _, node in sorted(numbered, key=lambda pair: pair[1].get("index").integer or pair[0])]


def _partition(node: Node, place: _Place) -> Partition:
    given = node.get("start").text not in {"", "0"}
    whole = node.get("end").text == "0"
    return Partition(
        id=node.get("id").text,
        name=node.get("name").text or node.get("id").text,
        type_uuid=_type_of(node),
        fs_type=file_system(node.get("fsType").text),
        fs_label=node.get("fsLabel").text,
        start=Bytes(place.start) if given else None,
        size=None if whole or place.end is None else Bytes(place.end - place.start),
        mount_point=mount_point(node.get("mountPoint").text),
        mount_options=node.get("mountOptions").text.replace(", ", ","),  # fstab(5) has no room for a space
        flags=node.get("flags").texts,
    )


def _type_of(node: Node) -> str:
    return type_guid(node.get("typeUUID").text or node.get("type").text or "linux") or ""


def _size(node: Node) -> int | None:
    try:
        return parse_size(node.text)
    except ValueError:
        return None


def _size_problem(node: Node) -> str:
    """Return what is wrong with the value of a size; what is wrong with its form is the schema's to say."""
    try:
        parse_size(node.text)
    except ValueError as error:
        return str(error) if "sectors" in str(error) else ""
    return ""


def _partition_problems(node: Node) -> Iterator[tuple[Node, str]]:
    kind, code = node.get("type"), node.get("typeUUID")
    if code.text and type_guid(code.text) is None and len(code.text) == 4:
        yield code, f"expected a GPT type GUID or a short code such as 8300, found '{code.text}'"
    elif not code.text and kind.text and type_guid(kind.text) is None:
        names = type_names()
        hint = did_you_mean(kind.text, names) or f"; known are {', '.join(names)}; or give typeUUID"
        yield kind, f"expected a partition type, found '{kind.text}'{hint}"
    if node.get("size").text and node.get("end").text:
        yield node.get("size"), "expected either size or end, found both"
    elif node.value is not None and not node.get("size").text and not node.get("end").text:
        yield node, "expected end or size, found neither"
    if not node.get("id").text and isinstance(node.value, dict) and "id" not in node.value:
        yield node.get("id"), "expected the partition's id, found nothing"
    yield from _label_problems(node.get("fsLabel"), file_system(node.get("fsType").text))


def _label_problems(label: Node, kind: str) -> Iterator[tuple[Node, str]]:
    longest = _LABEL_LENGTH.get(kind, 16)
    if longest < len(label.text.encode()) and len(label.text) <= 16:
        unit = "characters" if label.text.isascii() else "bytes"
        yield label, f"expected a label of at most {longest} {unit} for this file system, found '{label.text}'"
    elif kind.startswith("fat") and (not label.text.isascii() or _NOT_IN_FAT & {*label.text}):
        without = "".join(sorted(_NOT_IN_FAT))
        yield label, f"expected a label in ASCII without {without} for this file system, found '{label.text}'"


def _places(disk: Node) -> list[_Place]:
    """Return where each partition lies, those left out whose size or offset cannot be read."""
    size = _size(disk.get("size"))
    usable = size - _BACK if size else None
    places: list[_Place] = []
    free: int | None = ALIGNMENT
    for node in _in_table_order(disk):
        start = _size(node.get("start"))
        if start is None:
            if free is None or node.get("start").text not in {"", "0"}:
                continue
            start = -(-free // ALIGNMENT) * ALIGNMENT
        end, length = node.get("end").text, _size(node.get("size"))
        stop = start + length if length else usable if end == "0" else _size(node.get("end"))
        if stop is None and end != "0":
            continue
        places.append(_Place(node=node, start=start, end=stop))
        free = stop
    return places


def _place_problems(disk: Node) -> Iterator[tuple[Node, str]]:
    size = _size(disk.get("size"))
    places = _places(disk)
    for place in places:
        start, end = place.start, place.end
        at = place.node.get("start") if place.node.get("start").text else place.node
        stop = next((place.node.get(key) for key in ("end", "size") if place.node.get(key).text), place.node)
        if start < _FRONT:
            table = f"{shown_size(_FRONT)}, after the partition table"
            yield at, f"expected a start of at least {table}, found {shown_size(start)}"
        if end is not None and end <= start:
            yield stop, f"expected an end after the start {shown_size(start)}, found {shown_size(max(end, 0))}"
        elif size and end is not None and end > size - _BACK:
            room = f"at most {shown_size(size - _BACK)} of the disk's {shown_size(size)}"
            yield stop, f'expected an end of {room}, found {shown_size(end)} ("0" is the rest of the disk)'
    yield from _overlaps(places)


def _overlaps(places: list[_Place]) -> Iterator[tuple[Node, str]]:
    ordered = sorted(places, key=lambda place: place.start)
    for before, after in itertools.pairwise(ordered):
        if before.end is None or before.end > after.start:
            name = before.node.get("id").text
            where = shown_size(before.end) if before.end is not None else "the end of the disk"
            at = after.node.get("start") if after.node.get("start").text else after.node
            found = shown_size(after.start)
            yield at, f"expected a start at or after {where}, where partition '{name}' ends, found {found}"
