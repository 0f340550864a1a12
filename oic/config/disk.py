"""The ``disk`` of a recipe, and the values it becomes.

* Table order is the order written, unless ``index`` says otherwise.
* ``end`` is where the next partition may begin (exclusive); ``"0"`` is the rest of the disk. A ``start`` of ``"0"``, or
  none, is the next free MiB.
* Where each partition then lies, and whether it can, is `oic.image.disk.geometry`'s to say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from oic.config.model import Artifact, Disk, Partition
from oic.config.partition_types import type_guid
from oic.config.sizes import parse_size
from oic.image.disk.kinds import MIB
from oic.values import Bytes

if TYPE_CHECKING:
    from oic.config.source import Node

_FILE_SYSTEMS = {"vfat": "fat32", "swap": "linux-swap", "none": "", "unformatted": ""}
WSL, ISO, IMG = "wsl2", "iso", "img"
"""Image types: of a root file system without kernel and disk, of a medium, of an initramfs."""
AUTO = "auto"
"""The size of a disk or partition that is as large as its content wants."""
_COMPRESSIONS = {"gzip": "gz"}
"""Two words for one compression."""


def disk_of(disk: Node, image_type: str) -> Disk:
    """Return the values of a disk that has no problems; a size that is not given, or ``auto``, is 0.

    The disk of an ISO is that of the machine: what takes its rest is as large as its content wants, and then grows.
    """
    values = disk_values(disk, in_table_order(disk))
    return replace(values, size=Bytes(0), grows=False) if image_type == ISO else values


def artifacts_of(disk: Node, image_type: str) -> tuple[Artifact, ...]:
    """Return what is to be made of an image, each once, in the order written; when nothing is said, the usual file."""
    said = map(artifact_of, disk.get("artifacts").items)
    usual = Artifact(type="tar", compression="gz") if image_type == WSL else Artifact(type="raw", compression="")
    return tuple(dict.fromkeys(said)) or (usual,)


def artifact_of(node: Node) -> Artifact:
    """Return an artefact, with one word for each compression."""
    word = node.get("compression").text
    return Artifact(type=node.get("type").text, compression=_COMPRESSIONS.get(word, word))


def file_system(word: str) -> str:
    """Return one word for each file system: ``vfat`` is ``fat32``, ``none`` is empty."""
    return _FILE_SYSTEMS.get(word, word)


def file_system_of(partition: Node) -> str:
    """Return a partition's file system: of one for swap whose recipe says nothing, swap space; of an ESP, FAT32."""
    is_swap = "fsType" not in partition.entries and type_of(partition) == type_guid("linux-swap")
    usual = "fat32" if is_esp(partition) else ""
    return "linux-swap" if is_swap else file_system(partition.get("fsType").text) or usual


def is_esp(partition: Node) -> bool:
    """Tell whether a partition is of the type of an EFI system partition."""
    return type_of(partition) == type_guid("esp")


def is_bios_boot(partition: Node) -> bool:
    """Tell whether a partition is of the type that holds GRUB's core image, and no file system."""
    return type_of(partition) == type_guid("bios")


def mount_point(word: str) -> str:
    """Return a mount point without a slash at its end; ``none`` is empty."""
    return "" if word in {"", "none"} else word.rstrip("/") or "/"


def partitions_of(disk: Node) -> list[Node]:
    """Return the partitions in the order written."""
    return disk.get("partitions").items


def in_table_order(disk: Node) -> list[Node]:
    """Return the partitions in the order of the table."""
    numbered = enumerate(partitions_of(disk), start=1)
    return [node for _, node in sorted(numbered, key=lambda pair: pair[1].get("index").integer or pair[0])]


def disk_values(disk: Node, nodes: list[Node]) -> Disk:
    """Return the values of a disk with these partitions, as far as they can be read."""
    table = disk.get("partitionTableType").text or "gpt"
    grows = disk.get("extendLastPartitionToFillDisk").true or any(node.get("grow").true for node in nodes)
    size = Bytes(size_of(disk.get("size")) or 0)
    return Disk(size=size, table=table, partitions=tuple(map(_partition, nodes)), grows=grows)


def _partition(node: Node) -> Partition:
    return Partition(
        id=node.get("id").text,
        name=node.get("name").text or node.get("id").text,
        type_uuid=type_of(node),
        fs_type=file_system_of(node),
        fs_label=node.get("fsLabel").text,
        start=size_of(node.get("start")),
        end=size_of(node.get("end")),
        size=Bytes(MIB) if node.get("size").text == AUTO else size_of(node.get("size")),
        mount_point=mount_point(node.get("mountPoint").text),
        mount_options=node.get("mountOptions").text.replace(", ", ","),  # fstab(5) has no room for a space
        flags=node.get("flags").texts,
        by_content=node.get("size").text == AUTO,
    )


def type_of(node: Node) -> str:
    """Return the GUID of a partition's type; empty for an unknown one."""
    return type_guid(node.get("typeUUID").text or node.get("type").text or "linux") or ""


def size_of(node: Node) -> Bytes | None:
    """Return a size in bytes; None for a text that is none."""
    try:
        return parse_size(node.text)
    except ValueError:
        return None
