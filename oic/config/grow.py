"""A disk whose last partition grows on a larger device: what cannot grow, and what grows without effect."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oic.image.disk.geometry import sectors_of
from oic.image.disk.kinds import GPT, TABLE_KINDS
from oic.image.fs import FILE_SYSTEMS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from oic.config.model import Disk
    from oic.config.source import Node


def grow_problems(disk: Node, whole: Disk, nodes: list[Node]) -> Iterator[tuple[Node, str]]:
    """Say what of a disk cannot grow; `nodes` are those of the partitions of `whole`."""
    last = _last(whole) if whole.grows else None
    if last is None:
        return
    for at, node in enumerate(nodes):
        if node.get("grow").true and at != last:
            text = f"expected it on '{whole.partitions[last].id}', the last partition on the disk, found it on"
            yield node.get("grow"), f"{text} '{whole.partitions[at].id}'"
    word = whole.partitions[last].fs_type
    if word and (word not in FILE_SYSTEMS or not FILE_SYSTEMS[word].grows):
        own = nodes[last].get("grow")
        names = ", ".join(name for name, kind in FILE_SYSTEMS.items() if kind.grows)
        text = f"expected a file system that can grow on the last partition, one of {names}, or none, found {word}"
        yield own if own.true else disk.get("extendLastPartitionToFillDisk"), text


def _last(disk: Disk) -> int | None:
    """Return the index of the partition that is last on the disk; None where that cannot be told."""
    sectors = sectors_of(disk, TABLE_KINDS.get(disk.table, GPT))
    rest = (at for at, entry in enumerate(disk.partitions) if entry.end is None and entry.size is None)
    return next(rest, max(sectors, key=lambda at: sectors[at][0], default=None))


def grow_notes(nodes: list[Node], *, extends: bool) -> Iterator[tuple[Node, str]]:
    """Say which file system does not grow with its partition; `nodes` are the partitions as they are written."""
    for node in nodes:
        grows = node.get("grow").true or (extends and node is nodes[-1])
        has_files = node.get("fsType").text not in {"", "none", "unformatted"}
        if grows and has_files and node.get("mountPoint").text in {"", "none"}:
            yield node, "its partition grows, its file system does not, as it is mounted nowhere"
