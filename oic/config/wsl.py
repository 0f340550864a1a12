"""A root file system for WSL 2: what it cannot be, and what of a recipe has no effect on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oic.config.disk import WSL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from oic.config.source import Node

    Found = Iterator[tuple[Node, str]]

_COMPRESSIONS = frozenset({"", "gz", "gzip"})
_IDLE_DISK = ("size", "partitionTableType", "partitions", "extendLastPartitionToFillDisk")
_IDLE_SYSTEM = ("kernel", "bootloader", "immutability", "fde", "initramfs")


def wsl_problems(tree: Node) -> Found:
    """Say what of a merged recipe for WSL 2 cannot be: its artefacts are archives, as `wsl --import` reads them."""
    if tree.get("target", "imageType").text != WSL:
        return
    for artifact in tree.get("disk", "artifacts").items:
        form, compression = artifact.get("type"), artifact.get("compression")
        if form.text != "tar":
            yield form, f"expected tar for an image of type {WSL}, found {form.text}"
        elif compression.text not in _COMPRESSIONS:
            yield compression, f"expected gz or none, which every wsl --import reads, found {compression.text}"


def wsl_notes(tree: Node) -> Found:
    """Say what has no effect on an image without kernel and disk."""
    if tree.get("target", "imageType").text != WSL:
        return
    idle = [tree.get("disk", key) for key in _IDLE_DISK] + [tree.get("systemConfig", key) for key in _IDLE_SYSTEM]
    for node in idle:
        if node.value is not None:
            yield node, f"no effect on an image of type {WSL}, which has no kernel and no disk of its own"
