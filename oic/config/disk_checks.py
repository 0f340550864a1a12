"""What is wrong with the ``disk`` of a recipe beyond its schema.

Where partitions lie, and whether they can, is `oic.image.disk.geometry`'s to say; what a file system can hold, that of
the table of `oic.image.fs`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from oic.config.disk import (
    AUTO,
    artifact_of,
    disk_values,
    file_system_of,
    in_table_order,
    is_bios_boot,
    partitions_of,
    size_of,
)
from oic.config.grow import grow_problems
from oic.config.mounts import mount_problems
from oic.config.partition_types import type_guid, type_names
from oic.config.schema import did_you_mean
from oic.config.sizes import SECTOR, parse_size, shown_size
from oic.image.disk.geometry import problems, sectors_of
from oic.image.disk.kinds import GPT, TABLE_KINDS
from oic.image.formats import DISK_FORMATS
from oic.image.fs import FILE_SYSTEMS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from oic.config.model import Artifact, Disk
    from oic.config.source import Node

_LONGEST_LABEL = 16
"""In bytes, of a file system that is not made here."""


def disk_problems(disk: Node) -> Iterator[tuple[Node, str]]:
    """Say everything that is wrong with a disk beyond its schema."""
    for node in (
        disk.get("size"),
        *(item.get(key) for item in partitions_of(disk) for key in ("start", "end", "size")),
    ):
        if node.text not in {"", "0", AUTO} and (said := _size_problem(node)):
            yield node, said
    yield from _artifact_problems(disk)
    for node in partitions_of(disk):
        yield from _partition_problems(node)
    yield from mount_problems(disk)
    yield from _active_problems(disk)
    nodes = _readable(disk)
    whole = disk_values(disk, nodes)
    kind = TABLE_KINDS.get(whole.table, GPT)
    if whole.size > kind.max_size:
        most = f"at most {shown_size(kind.max_size)}, as {kind.limit}"
        yield disk.get("size"), f"expected {most}, found {disk.get('size').text}"
    for problem in problems(whole, kind):
        node = disk.get("partitions") if problem.at is None else nodes[problem.at]
        yield _field(node, problem.field), problem.text
    yield from _size_problems(whole, nodes)
    yield from grow_problems(disk, whole, nodes)
    yield from _content_problems(disk)


def _artifact_problems(disk: Node) -> Iterator[tuple[Node, str]]:
    seen: set[Artifact] = set()
    for node in disk.get("artifacts").items:
        artifact = artifact_of(node)
        if artifact.type and artifact in seen:
            found = " ".join(filter(None, (artifact.type, artifact.compression)))
            yield node, f"expected each artefact once, found {found} twice"
        seen.add(artifact)
    size = size_of(disk.get("size"))
    for node in (artifact.get("type") for artifact in disk.get("artifacts").items):
        unit = DISK_FORMATS[node.text].UNIT if node.text in DISK_FORMATS else 1
        if size and size % unit:
            yield (
                disk.get("size"),
                f"expected whole MiB, as a {node.text} takes no other, found {disk.get('size').text}",
            )


def _active_problems(disk: Node) -> Iterator[tuple[Node, str]]:
    """Say where a second partition of an MBR is the active one."""
    active = [node for node in partitions_of(disk) if "boot" in node.get("flags").texts]
    for node in active[1:] if disk.get("partitionTableType").text == "mbr" else ():
        text = (
            f"expected one partition with the flag boot in an MBR, found a second beside '{active[0].get('id').text}'"
        )
        yield node.get("flags"), text


def _readable(disk: Node) -> list[Node]:
    """Return the partitions, in the order of the table, whose place can be told; the others have another problem."""
    found, known = [], True
    for node in in_table_order(disk):
        start, end, size = (node.get(key) for key in ("start", "end", "size"))
        own = size_of(start) is not None
        ends = end.text == "0" or size.text == AUTO or size_of(end) or size_of(size)
        if (own or (known and start.text in {"", "0"})) and ends:
            found.append(node)
            known = True
        else:
            known = False
    return found


def _field(node: Node, name: str) -> Node:
    """Return the field a problem is about; the partition itself where it was not written."""
    names = {"end": ("end", "size"), "name": ("name", "id"), "type": ("typeUUID", "type")}.get(name, (name,))
    return next((node.get(key) for key in names if node.get(key).value is not None), node)


def _size_problem(node: Node) -> str:
    """Return what is wrong with the value of a size; what is wrong with its form is the schema's to say."""
    try:
        parse_size(node.text)
    except ValueError as error:
        return str(error) if "sector" in str(error) else ""
    return ""


def _partition_problems(node: Node) -> Iterator[tuple[Node, str]]:
    kind, code = node.get("type"), node.get("typeUUID")
    if code.text and type_guid(code.text) is None and len(code.text) == 4:
        yield code, f"expected a GPT type GUID or a short code such as 8300, found '{code.text}'"
    elif not code.text and kind.text and type_guid(kind.text) is None:
        names = type_names()
        usual = [name for name in names if not name.endswith(("-x86", "-arm")) and "-arm64" not in name]
        near = did_you_mean(kind.text, usual) or did_you_mean(kind.text, names)
        hint = near or f"; known are {', '.join(names)}; or give typeUUID"
        yield kind, f"expected a partition type, found '{kind.text}'{hint}"
    if node.get("size").text and node.get("end").text:
        yield node.get("size"), "expected either size or end, found both"
    elif node.value is not None and not node.get("size").text and not node.get("end").text:
        yield node, "expected end or size, found neither"
    if not node.get("id").text and isinstance(node.value, dict) and "id" not in node.value:
        yield node.get("id"), "expected the partition's id, found nothing"
    yield from _label_problems(node.get("fsLabel"), file_system_of(node))


def _content_problems(disk: Node) -> Iterator[tuple[Node, str]]:
    """Say where a size cannot be that of the content, and what cannot come after one that is."""
    before = None
    for node in in_table_order(disk):
        kind = FILE_SYSTEMS.get(file_system_of(node))
        rest = node.get("end").text == "0" and disk.get("size").text == AUTO
        if (own := node.get("size").text == AUTO) or rest:
            if is_bios_boot(node) or kind is None or kind.mounted_as == "swap":
                text = f"expected a size such as 64MiB, as there are no files to size it by, found {AUTO}"
                yield node.get("size") if own else disk.get("size"), text
            before = before or node.get("id").text
        elif before:
            for key in ("start", "end"):
                if node.get(key).text not in {"", "0"}:
                    text = f"expected size in its place, as partition '{before}' before it is as large as its files"
                    yield node.get(key), f"{text}, found {node.get(key).text}"
            if is_bios_boot(node):
                yield node, f"expected a partition of type bios before '{before}', which is as large as its files"


def _size_problems(disk: Disk, nodes: list[Node]) -> Iterator[tuple[Node, str]]:
    """Say which partitions are smaller or larger than their file system can be."""
    sectors = sectors_of(disk, TABLE_KINDS.get(disk.table, GPT))
    for at, (entry, node) in enumerate(zip(disk.partitions, nodes, strict=True)):
        kind, size = FILE_SYSTEMS.get(entry.fs_type), sectors.get(at, (0, 0))[1] * SECTOR
        if kind and not entry.by_content and size > 0 and not kind.least <= size <= kind.most:
            limit = f"at least {shown_size(kind.least)}" if size < kind.least else f"at most {shown_size(kind.most)}"
            yield _field(node, "end"), f"expected {limit} for {entry.fs_type}, found a partition of {shown_size(size)}"


def _label_problems(label: Node, word: str) -> Iterator[tuple[Node, str]]:
    if len(label.text) > _LONGEST_LABEL:
        return  # the schema has said it
    kind = FILE_SYSTEMS.get(word)
    longest = kind.max_label if kind else _LONGEST_LABEL
    if label.text and not longest:
        yield label, f"expected none, as {word} has no label, found '{label.text}'"
    elif longest < len(label.text.encode()):
        unit = "characters" if label.text.isascii() else "bytes"
        yield label, f"expected a label of at most {longest} {unit} for this file system, found '{label.text}'"
    elif kind and (wanted := kind.label_problem(label.text)):
        yield label, f"expected a label {wanted} for this file system, found '{label.text}'"
