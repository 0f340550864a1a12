"""What of a recipe does not go with a root that is only read (``immutability``), and what has no effect beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oic.config.disk import disk_values, file_system_of, in_table_order, mount_point, partitions_of
from oic.config.immutability import (
    USUAL_STATE,
    has_no_place_for_menu,
    hash_partition,
    is_on,
    partition_size,
    root_of,
    with_hash_partition,
)
from oic.config.sizes import shown_size
from oic.image.disk.content import is_by_content
from oic.image.disk.geometry import problems
from oic.image.disk.kinds import GPT
from oic.image.fs import FILE_SYSTEMS
from oic.image.verity import MEMORY, ROOT_FILE_SYSTEMS, hash_tree_size, is_of_root

if TYPE_CHECKING:
    from collections.abc import Iterator

    from oic.config.source import Node

    Found = Iterator[tuple[Node, str]]

_ODD = ",:\\"


def immutability_problems(tree: Node) -> Found:
    """Say what of a merged recipe does not go with a root that is only read."""
    disk = tree.get("disk")
    nodes = partitions_of(disk)
    root = root_of(nodes)
    if root is None:
        return  # another problem
    word = file_system_of(root)
    if not is_on(tree):
        if word in FILE_SYSTEMS and FILE_SYSTEMS[word].is_read_only:
            text = "expected a file system that can be written for /, or immutability"
            yield root.get("fsType"), f"{text}, found {word}"
        return
    if disk.get("partitionTableType").text == "mbr":
        yield disk.get("partitionTableType"), "expected gpt, as a verified root is found by its GUID, found mbr"
        return
    if word not in ROOT_FILE_SYSTEMS:
        names = ", ".join(ROOT_FILE_SYSTEMS)
        yield root.get("fsType"), f"expected one of {names} for a root that is only read (immutability), found {word}"
    if root.get("grow").true or (disk.get("extendLastPartitionToFillDisk").true and root is nodes[-1]):
        yield root, "expected another partition to grow, as the root is only read (immutability)"
    if has_no_place_for_menu(tree):
        said = "expected a partition with the mountPoint /boot, as GRUB's menu has the root hash (immutability)"
        yield disk.get("partitions"), f"{said}, found none"
    yield from _size_problems(tree, root)
    yield from _state_problems(tree)


def _size_problems(tree: Node, root: Node) -> Found:
    """Say where the hash tree does not fit into its partition."""
    found = hash_partition(partitions_of(tree.get("disk")))
    values = disk_values(tree.get("disk"), in_table_order(tree.get("disk")))
    if found is None:
        own = next(entry for entry in values.partitions if entry.mount_point == "/")
        disk, added = with_hash_partition(values, own)
        if values.size and not list(problems(values, GPT)) and list(problems(disk, GPT)):
            size_text = next(shown_size(entry.size or 0) for entry in disk.partitions if entry.id == added)
            text = f"expected room for the hash tree of '{own.id}', {size_text} on a partition of its own"
            yield tree.get("disk", "partitions"), f"{text} (immutability), found none"
        return
    sizes = {}
    for node in (root, found):
        entry = next(entry for entry in values.partitions if entry.id == node.get("id").text)
        sizes[node.get("id").text] = None if is_by_content(entry, values) else partition_size(values, entry)
    size, there = (sizes[node.get("id").text] for node in (root, found))
    if size and there and there < (needed := hash_tree_size(size)):
        end = found.get("size") if found.get("size").text else found.get("end")
        wanted = f"expected at least {shown_size(needed)}, for the hash tree of a root of {shown_size(size)}"
        yield end, f"{wanted}, found a partition of {shown_size(there)}"


def _state_problems(tree: Node) -> Found:
    """Say where state cannot be kept."""
    said = tree.get("systemConfig", "immutability", "state")
    nodes = {mount_point(node.get("mountPoint").text): node for node in partitions_of(tree.get("disk"))}
    at = mount_point(said.text)
    if not said.text or at == MEMORY:
        return
    places = sorted(place for place in nodes if place.startswith("/"))
    if at not in nodes:
        yield said, f"expected a mountPoint out of {', '.join(places)}, or {MEMORY}, found '{said.text}'"
        return
    word = file_system_of(nodes[at])
    kind = FILE_SYSTEMS.get(word)
    if at in {"/", "/boot", "/usr"} or at.startswith(("/usr/", "/boot/")):
        yield said, f"expected the mountPoint of a partition for what is written, such as /opt, found {at}"
    elif kind is None or kind.is_read_only or not kind.holds_owners:
        text = "expected a partition with a file system that can be written, such as ext4"
        yield said, f"{text}, found {word or 'none'} on {at}"
    if odd := sorted({*at} & {*_ODD}):
        yield said, f"expected a mountPoint that the options of an overlay can hold, found {' '.join(odd)} in {at}"
    if outer := next((one for one in places if one != "/" and at.startswith(f"{one}/")), ""):
        yield said, f"expected a partition that is not mounted below another one, found {at} below {outer}"


def immutability_notes(tree: Node) -> Found:
    """Say what of a merged recipe has no effect beside a root that is only read, and what is lost with its power."""
    immutability = tree.get("systemConfig", "immutability")
    if not is_on(tree):
        if immutability.get("state").text:
            yield immutability.get("state"), "no effect, as the root can be written to"
        return
    line = tree.get("systemConfig", "kernel", "cmdline")
    if words := [word for word in line.text.split() if is_of_root(word)]:
        yield line, f"{' '.join(words)} has no effect, as the root is verified (immutability)"
    mounted = {mount_point(node.get("mountPoint").text) for node in partitions_of(tree.get("disk"))}
    if not immutability.get("state").text and not mounted & {*USUAL_STATE}:
        said = "what is written is lost when the machine stops, as no partition is mounted on /opt or /var"
        yield immutability.get("enabled"), f"{said}; state: MOUNTPOINT keeps it, state: {MEMORY} says that it is meant"
