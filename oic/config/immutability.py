"""A root that is only read (``immutability``): which partitions it has, and where state is.

* The hash tree goes onto the partition that the recipe has for it; where it has none and says itself that the root is
  read-only, a partition as large as the hash tree is added.
* State is on the partition with the mount point that the recipe says, else on that of /opt, else of /var; without such
  a partition, in memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from oic.config.assemble import bootloader_of
from oic.config.disk import disk_of, mount_point, partitions_of
from oic.config.model import Partition
from oic.config.partition_types import type_guid
from oic.config.sizes import SECTOR
from oic.config.source import Node
from oic.image.disk.content import is_by_content, is_rest
from oic.image.disk.geometry import sectors_of
from oic.image.disk.kinds import GPT, TABLE_KINDS
from oic.image.verity import ReadOnlyRoot, hash_tree_size
from oic.values import Bytes

if TYPE_CHECKING:
    from pathlib import Path

    from oic.config.model import Disk

HASH_TREE_IDS = ("roothashmap", "hash")
"""Ids of partitions for the hash tree; the first is that of one that is added."""
USUAL_STATE = ("/opt", "/var")
_IMAGE_TYPES = frozenset({"raw", "iso"})


def is_on(tree: Node) -> bool:
    """Tell whether a merged recipe has a root that is only read."""
    kind = tree.get("target", "imageType").text
    is_wanted = kind in _IMAGE_TYPES and tree.get("systemConfig", "immutability", "enabled").true
    return is_wanted and root_of(partitions_of(tree.get("disk"))) is not None


def root_of(partitions: list[Node]) -> Node | None:
    """Return the partition that is mounted on /."""
    return next((node for node in partitions if mount_point(node.get("mountPoint").text) == "/"), None)


def without_idle(tree: Node, defaults: Path | None) -> tuple[Node, list[tuple[Node, str]]]:
    """Return the recipe with ``immutability`` off where only the defaults have it, in the directory `defaults`, and the
    disk has no place for the hash tree; and a note of that.
    """
    enabled = tree.get("systemConfig", "immutability", "enabled")
    of_defaults = defaults is not None and enabled.file.is_relative_to(defaults)
    reason = _why_idle(tree) if enabled.true and of_defaults else ""
    if not reason:
        return tree, []
    off = Node(False, enabled.file, enabled.line, enabled.path)
    system, said = tree.get("systemConfig"), f"switched off, as the disk has no partition for {reason}"
    system = _with(system, "immutability", _with(system.get("immutability"), "enabled", off))
    return _with(tree, "systemConfig", system), [(enabled, said)]


def _why_idle(tree: Node) -> str:
    """Return what a disk has no partition for; nothing where it has all, or none."""
    partitions = partitions_of(tree.get("disk"))
    if partitions and hash_partition(partitions) is None:
        return "the hash tree: one with the id roothashmap or hash, or of type linux with mountPoint: none"
    if partitions and has_no_place_for_menu(tree):
        return "GRUB's menu, which has the root hash: one with the mountPoint /boot"
    return ""


def has_no_place_for_menu(tree: Node) -> bool:
    """Tell whether GRUB boots, and no partition beside the root holds its menu."""
    at = {mount_point(node.get("mountPoint").text) for node in partitions_of(tree.get("disk"))}
    return bootloader_of(tree.get("systemConfig", "bootloader")).provider == "grub" and "/boot" not in at


def hash_partition(partitions: list[Node]) -> Node | None:
    """Return the partition of the hash tree: by its id, else the first of type linux that is mounted nowhere."""
    named = [node for node in partitions if node.get("id").text in HASH_TREE_IDS]
    free = [node for node in partitions if _is_linux(node) and node.get("mountPoint").text == "none"]
    return next(iter([*named, *free]), None)


def _is_linux(node: Node) -> bool:
    return type_guid(node.get("typeUUID").text or node.get("type").text) == type_guid("linux")


def _with(node: Node, key: str, value: Node) -> Node:
    return Node({**node.entries, key: value}, node.file, node.line, node.path)


def disk_and_root(tree: Node) -> tuple[Disk, ReadOnlyRoot | None]:
    """Return the disk of a recipe without problems, and which of its partitions a verified root has, if any."""
    disk = disk_of(tree.get("disk"), tree.get("target", "imageType").text)
    return _read_only_root(tree, disk) if is_on(tree) else (disk, None)


def _read_only_root(tree: Node, disk: Disk) -> tuple[Disk, ReadOnlyRoot]:
    nodes = {node.get("id").text: node for node in partitions_of(tree.get("disk"))}
    root = next(entry for entry in disk.partitions if entry.mount_point == "/")
    found = hash_partition([*nodes.values()])
    if found is None:
        disk, hashes = with_hash_partition(disk, root)
    else:
        hashes = found.get("id").text
    types = {root.id: f"linux-root-{_word(tree)}", hashes: f"linux-root-{_word(tree)}-verity"}
    partitions = tuple(_typed(entry, nodes.get(entry.id), types.get(entry.id, "")) for entry in disk.partitions)
    partitions = tuple(
        replace(entry, fs_type="", fs_label="", mount_point="") if entry.id == hashes else entry for entry in partitions
    )
    return replace(disk, partitions=partitions), ReadOnlyRoot(root=root.id, hashes=hashes, state=_state(tree, disk))


def _word(tree: Node) -> str:
    return {"aarch64": "arm64"}.get(tree.get("target", "arch").text, "amd64")


def _typed(entry: Partition, node: Node | None, kind: str) -> Partition:
    """Return a partition with a type by which it is found, unless the recipe names another by its GUID."""
    if not kind or (node is not None and node.get("typeUUID").text):
        return entry
    return replace(entry, type_uuid=type_guid(kind) or "")


def with_hash_partition(disk: Disk, root: Partition) -> tuple[Disk, str]:
    """Return the disk with a partition for the hash tree: before one that takes the rest or grows, else at the end."""
    name = HASH_TREE_IDS[0]
    waits = root.by_content or is_by_content(root, disk)
    added = Partition(
        id=name,
        name=name,
        type_uuid="",
        fs_type="",
        fs_label="",
        start=None,
        end=None,
        size=Bytes(1 << 20) if waits else hash_tree_size(partition_size(disk, root) or disk.size),
        mount_point="",
        mount_options="",
        flags=(),
        by_content=waits,
    )
    count = len(disk.partitions)
    at = next((n for n, entry in enumerate(disk.partitions) if is_rest(entry)), count - 1 if disk.grows else count)
    following = disk.partitions[at:]
    if following and following[0].start is not None:  # the one that takes the rest begins behind it
        following = (replace(following[0], start=None), *following[1:])
    return replace(disk, partitions=(*disk.partitions[:at], added, *following)), name


def partition_size(disk: Disk, wanted: Partition) -> Bytes | None:
    """Return the size of a partition, as far as it is known."""
    sectors = sectors_of(disk, TABLE_KINDS.get(disk.table, GPT))
    found = next(sectors[at][1] for at, entry in enumerate(disk.partitions) if entry.id == wanted.id and at in sectors)
    return Bytes(found * SECTOR) if found > 0 and not is_rest(wanted) else None


def _state(tree: Node, disk: Disk) -> str:
    """Return the id of the partition that has the state, or nothing for memory."""
    said = tree.get("systemConfig", "immutability", "state").text
    places = (mount_point(said),) if said else USUAL_STATE
    return next((entry.id for at in places for entry in disk.partitions if entry.mount_point == at), "")
