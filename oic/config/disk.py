"""The ``disk`` of a recipe: whether its partitions can be, and the values they become.

* Table order is the order written, unless ``index`` says otherwise.
* ``end`` is where the next partition may begin (exclusive); ``"0"`` is the rest of the disk. A ``start`` of ``"0"``, or
  none, is the next free MiB.
* Where each partition then lies, and whether it can, is `oic.image.disk.geometry`'s to say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from oic.config.model import Artifact, Disk, Partition
from oic.config.partition_types import type_guid, type_names
from oic.config.schema import did_you_mean
from oic.config.sizes import parse_size, shown_size
from oic.image.disk.geometry import problems, sizes_of
from oic.image.disk.kinds import GPT, TABLE_KINDS
from oic.image.formats import DISK_FORMATS
from oic.image.fs import FILE_SYSTEMS
from oic.values import Bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from oic.config.source import Node

_FILE_SYSTEMS = {"vfat": "fat32", "swap": "linux-swap", "none": "", "unformatted": ""}
_COMPRESSIONS = {"gzip": "gz"}
"""Two words for one compression."""
_WRITTEN = frozenset({"/", "/etc", "/var", "/tmp", "/root", "/home", "/run"})  # noqa: S108 - of the image
_OF_PACKAGES = frozenset({"/boot", "/usr", "/usr/lib", "/usr/share", "/usr/local"})
_LONGEST_LABEL = 16
"""In bytes, of a file system that is not made here."""


def disk_of(disk: Node) -> Disk:
    """Return the values of a disk that has no problems; a size that is not given, or ``auto``, is 0."""
    return _disk(disk, _in_table_order(disk))


def artifacts_of(disk: Node) -> tuple[Artifact, ...]:
    """Return what is to be made of the disk, each once, in the order written; a raw file when nothing is said."""
    said = [
        Artifact(type=node.get("type").text, compression=_COMPRESSIONS.get(word, word))
        for node in disk.get("artifacts").items
        for word in (node.get("compression").text,)
    ]
    return tuple(dict.fromkeys(said)) or (Artifact(type="raw", compression=""),)


def disk_problems(disk: Node) -> Iterator[tuple[Node, str]]:
    """Say everything that is wrong with a disk beyond its schema."""
    for node in (disk.get("size"), *(item.get(key) for item in _items(disk) for key in ("start", "end", "size"))):
        if node.text not in {"", "0", "auto"} and (said := _size_problem(node)):
            yield node, said
    yield from _artifact_problems(disk)
    for node in _items(disk):
        yield from _partition_problems(node)
    nodes = _readable(disk)
    whole = _disk(disk, nodes)
    kind = TABLE_KINDS.get(whole.table, GPT)
    if whole.size > kind.max_size:
        most = f"at most {shown_size(kind.max_size)}, as {kind.article} {kind.name.upper()} counts sectors in 32 bits"
        yield disk.get("size"), f"expected {most}, found {disk.get('size').text}"
    for problem in problems(whole, kind):
        node = disk.get("partitions") if problem.at is None else nodes[problem.at]
        yield _field(node, problem.field), problem.text
    yield from _size_problems(whole, nodes)


def _artifact_problems(disk: Node) -> Iterator[tuple[Node, str]]:
    size = _size(disk.get("size"))
    for node in (artifact.get("type") for artifact in disk.get("artifacts").items):
        unit = DISK_FORMATS[node.text].UNIT if node.text in DISK_FORMATS else 1
        if size and size % unit:
            yield (
                disk.get("size"),
                f"expected whole MiB, as a {node.text} takes no other, found {disk.get('size').text}",
            )


def file_system(word: str) -> str:
    """Return one word for each file system: ``vfat`` is ``fat32``, ``none`` is empty."""
    return _FILE_SYSTEMS.get(word, word)


def file_system_of(partition: Node) -> str:
    """Return a partition's file system; of one for swap whose recipe says nothing, swap space."""
    is_swap = "fsType" not in partition.entries and _type_of(partition) == type_guid("linux-swap")
    return "linux-swap" if is_swap else file_system(partition.get("fsType").text)


def is_bios_boot(partition: Node) -> bool:
    """Tell whether a partition is of the type that holds GRUB's core image, and no file system."""
    return _type_of(partition) == type_guid("bios")


def mount_point(word: str) -> str:
    """Return a mount point without a slash at its end; ``none`` is empty."""
    return "" if word in {"", "none"} else word.rstrip("/") or "/"


def _items(disk: Node) -> list[Node]:
    return disk.get("partitions").items


def _in_table_order(disk: Node) -> list[Node]:
    numbered = enumerate(_items(disk), start=1)
    return [node for _, node in sorted(numbered, key=lambda pair: pair[1].get("index").integer or pair[0])]


def _disk(disk: Node, nodes: list[Node]) -> Disk:
    table = disk.get("partitionTableType").text or "gpt"
    return Disk(size=Bytes(_size(disk.get("size")) or 0), table=table, partitions=tuple(map(_partition, nodes)))


def _partition(node: Node) -> Partition:
    return Partition(
        id=node.get("id").text,
        name=node.get("name").text or node.get("id").text,
        type_uuid=_type_of(node),
        fs_type=file_system_of(node),
        fs_label=node.get("fsLabel").text,
        start=_size(node.get("start")),
        end=_size(node.get("end")),
        size=_size(node.get("size")),
        mount_point=mount_point(node.get("mountPoint").text),
        mount_options=node.get("mountOptions").text.replace(", ", ","),  # fstab(5) has no room for a space
        flags=node.get("flags").texts,
    )


def _readable(disk: Node) -> list[Node]:
    """Return the partitions, in the order of the table, whose place can be told; the others have another problem."""
    found, known = [], True
    for node in _in_table_order(disk):
        start, end, size = (node.get(key) for key in ("start", "end", "size"))
        own = _size(start) is not None
        if (own or (known and start.text in {"", "0"})) and (end.text == "0" or _size(end) or _size(size)):
            found.append(node)
            known = True
        else:
            known = False
    return found


def _field(node: Node, name: str) -> Node:
    """Return the field a problem is about; the partition itself where it was not written."""
    names = {"end": ("end", "size"), "name": ("name", "id"), "type": ("typeUUID", "type")}.get(name, (name,))
    return next((node.get(key) for key in names if node.get(key).value is not None), node)


def _type_of(node: Node) -> str:
    return type_guid(node.get("typeUUID").text or node.get("type").text or "linux") or ""


def _size(node: Node) -> Bytes | None:
    try:
        return parse_size(node.text)
    except ValueError:
        return None


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
    yield from _mount_problems(node, file_system_of(node))


def _mount_problems(node: Node, word: str) -> Iterator[tuple[Node, str]]:
    """Say where a file system cannot be mounted, or not with what packages put there."""
    at, kind = mount_point(node.get("mountPoint").text), FILE_SYSTEMS.get(word)
    if not at:
        return
    if word == "linux-swap":
        yield node.get("mountPoint"), f"expected none, as swap space is mounted nowhere, found {at}"
    elif kind and kind.is_read_only and at in _WRITTEN:
        yield node.get("fsType"), f"expected a file system that can be written for {at}, found {word}"
    elif kind and not kind.holds_files and at in (*_WRITTEN, *_OF_PACKAGES):
        yield (
            node.get("fsType"),
            f"expected a file system that can be filled, for {at}, found {word}: its tools fill none",
        )


def _size_problems(disk: Disk, nodes: list[Node]) -> Iterator[tuple[Node, str]]:
    """Say which partitions are smaller or larger than their file system can be."""
    sizes = sizes_of(disk, TABLE_KINDS.get(disk.table, GPT))
    for at, (entry, node) in enumerate(zip(disk.partitions, nodes, strict=True)):
        kind, size = FILE_SYSTEMS.get(entry.fs_type), sizes.get(at, 0)
        if kind and size > 0 and not kind.least <= size <= kind.most:
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
