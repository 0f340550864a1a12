"""Where the partitions of a recipe are mounted, and where they cannot be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oic.config.disk import file_system_of, is_bios_boot, is_esp, mount_point, partitions_of
from oic.image.fs import FILE_SYSTEMS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from oic.config.source import Node

WRITTEN = frozenset({"/", "/var", "/tmp", "/root", "/home"})  # noqa: S108 - of the image
OF_PACKAGES = frozenset({"/boot", "/usr", "/usr/lib", "/usr/share", "/usr/local"})
_OF_KERNEL = ("/dev", "/proc", "/run", "/sys")
_LINKS = ("/bin", "/lib", "/lib32", "/lib64", "/libx32", "/sbin")


def mount_problems(disk: Node) -> Iterator[tuple[Node, str]]:
    """Say which partitions cannot be mounted, or not with what packages put there."""
    for node in partitions_of(disk):
        at = mount_point(node.get("mountPoint").text)
        if at.startswith("/"):  # else the schema has said it
            yield from _place_problems(node.get("mountPoint"), at)
            yield from _mount_problems(node, at, file_system_of(node))
    esps = [node for node in partitions_of(disk) if is_esp(node)]
    for node in esps[1:]:
        yield node, f"expected one partition of type esp, found a second beside '{esps[0].get('id').text}'"


def _place_problems(node: Node, at: str) -> Iterator[tuple[Node, str]]:
    top = f"/{at.split('/')[1]}"
    if top in _OF_KERNEL:
        yield node, f"expected another place, as the system mounts {top} itself at each start, found {at}"
    elif top in _LINKS:
        yield node, f"expected another place, as {top} is a link into /usr, found {at}"
    elif at == "/etc":
        yield node, "expected another place, as /etc has to be on / for the system to start, found /etc"


def _mount_problems(node: Node, at: str, word: str) -> Iterator[tuple[Node, str]]:
    kind = FILE_SYSTEMS.get(word)
    if is_bios_boot(node):
        yield node.get("mountPoint"), f"expected none, as a partition of type bios has no file system, found {at}"
    elif not word:
        yield node.get("fsType"), f"expected a file system, as the partition is mounted on {at}, found none"
    elif word == "linux-swap":
        yield node.get("mountPoint"), f"expected none, as swap space is mounted nowhere, found {at}"
    elif kind and kind.is_read_only and at in WRITTEN - {"/"}:  # of a root, it depends on immutability
        yield node.get("fsType"), f"expected a file system that can be written for {at}, found {word}"
    elif kind and not kind.holds_owners and at in (*WRITTEN, *OF_PACKAGES) and at != "/boot":
        yield (
            node.get("fsType"),
            f"expected a file system with owners, modes and links, for {at}, found {word}, which has none",
        )
