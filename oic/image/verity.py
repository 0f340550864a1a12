"""A read-only root whose every block is verified when it is read: dm-verity. Pure.

    root's file system ──> hash tree ──> root hash ─┬─> the kernel's command line
                                                    └─> PARTUUIDs of both partitions

* The first half of the root hash is the PARTUUID of the root, the second half that of the hash tree, by which systemd
  finds both.
* The names of a partition with the root, or its hashes, are those of the machine's architecture.

Formats: cryptsetup's "dm-verity on-disk format"; systemd-veritysetup-generator(8); UAPI group's discoverable partitions
specification ("Partition Attribute Flags", "root hash").
"""

from __future__ import annotations

import uuid

from oic.image.fs.room import whole_mib
from oic.values import Bytes, Value

BLOCK = 4096
DIGEST = 32
ROOT_FILE_SYSTEMS = ("ext4", "ext3", "ext2", "squashfs", "erofs")
"""What a verified root can be: file systems whose reader writes nothing, not even when it is mounted."""
DEVICE = "/dev/mapper/root"
VERITY = "verity"
"""What a distribution's data name packages of the image, and tools, for."""
MEMORY = "memory"
"""The word of a recipe for state that is lost when the machine stops."""


class ReadOnlyRoot(Value):
    """The partitions of a verified root by their ids: the root, its hash tree, and the one that has what is writable.

    Without a `state`, what is writable is in memory.
    """

    root: str
    hashes: str
    state: str


class RootHash(Value):
    """The digest that vouches for a root: 64 hexadecimal digits."""

    hexadecimal: str

    @property
    def part_uuids(self) -> tuple[str, str]:
        """The PARTUUIDs of the root and of its hash tree."""
        raw = bytes.fromhex(self.hexadecimal)
        return str(uuid.UUID(bytes=raw[:16])), str(uuid.UUID(bytes=raw[-16:]))

    def command_line(self, text: str) -> str:
        """Return the command line `text` with this root in place of one that it names."""
        words = [word for word in text.split() if not is_of_root(word)]
        return " ".join([f"roothash={self.hexadecimal}", "systemd.verity=yes", f"root={DEVICE}", "ro", *words])


def is_of_root(word: str) -> bool:
    """Tell whether a word of a kernel command line says what the root is, or how it is mounted."""
    return word in {"rw", "ro"} or word.partition("=")[0] in {"root", "rootfstype", "rootflags", "roothash"}


def hash_tree_size(size: Bytes) -> Bytes:
    """Return the size of a partition that holds the hash tree of one of `size`, in whole MiB."""
    blocks = -(-size // BLOCK)
    total, per_block = 1, BLOCK // DIGEST  # one block for the superblock
    while True:
        blocks = -(-blocks // per_block)
        total += blocks
        if blocks == 1:
            break
    return whole_mib(total * BLOCK)
