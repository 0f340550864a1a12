"""What an installation writes to a disk, as its medium carries it: an index, and the compressed images. Pure.

::

    payload.json            the table as a script of sfdisk(8), the partitions, the blocks of each image
    payload/<id>.zst        the blocks of a partition that are not all zeros, each a zstd frame of its own

`oic.installer` reads it on the machine; its format is described in docs/iso.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import field

from oic.config.iso import DiskChoice  # noqa: TC001 - a field of a value
from oic.image.disk.kinds import ALIGNMENT, GPT, MBR
from oic.values import Bytes, Digest, Value

if TYPE_CHECKING:
    from oic.image.disk.placed import Layout, PlacedPartition

FORMAT = 1
BLOCK = 4 << 20
"""So many bytes of an image are one block."""
_ATTRIBUTES = {0: "RequiredPartition", 1: "NoBlockIOProtocol", 2: "LegacyBIOSBootable"}
_BOOTABLE = 0x80


class Block(Value):
    """A part of an image: where it is in that, and where its frame is in the compressed file; the sha256 of both."""

    at: Bytes
    size: Bytes
    begin: Bytes = field(name="from")
    length: Bytes
    sha256: Digest
    stored: Digest


class PayloadImage(Value):
    """An image: its size, the size of its compressed file, and the blocks that are not all zeros, in order."""

    size: Bytes
    stored: Bytes
    blocks: tuple[Block, ...]


class PayloadPartition(Value):
    """A partition: its number and position, its file system, its mount point, the name of its image or none.

    Without the one that `boots`, the disk does not; the one that `grows` takes what the disk has behind it.
    """

    id: str
    number: int
    start: Bytes
    size: Bytes
    type: str
    at: str
    grows: bool
    boots: bool
    image: str


class PayloadPiece(Value):
    """Bytes outside the partitions, from `offset` on: the name of their image."""

    offset: Bytes
    image: str


class PayloadState(Value):
    """Where the root is only read: the `partition` of what is written by its id, or none for memory; what is copied."""

    partition: str
    directories: tuple[str, ...]


class PayloadIndex(Value):
    """All that an installation is to know: `least` is how large a disk has to be, `table` a script of sfdisk(8)."""

    format: int
    image: str
    version: str
    system: str
    firmware: str
    least: Bytes
    table: str
    partitions: tuple[PayloadPartition, ...]
    pieces: tuple[PayloadPiece, ...]
    images: dict[str, PayloadImage]
    disk: DiskChoice
    state: PayloadState | None


def table_script(disk: Layout, grows: str) -> str:
    """Return the script of sfdisk(8) that lays out a disk of any size; the partition with the id `grows` fills it."""
    kind = "dos" if disk.table == MBR.name else "gpt"
    name = f"0x{disk.disk_uuid}" if disk.table == MBR.name else disk.disk_uuid
    lines = [f"label: {kind}", f"label-id: {name}", "unit: sectors"]
    lines += [f"first-lba: {GPT.first_usable}", ""] if kind == "gpt" else [""]
    logical = [entry for entry in disk.partitions if kind == "dos" and entry.index > MBR.slots]
    if logical:
        start = logical[0].start - ALIGNMENT
        end = max(entry.start + entry.sectors for entry in logical)
        size = "" if grows in {entry.id for entry in logical} else f" size={end - start},"
        lines.append(f"{MBR.slots} : start={start},{size} type=5")
    lines += [_line(entry, kind, grows=entry.id == grows) for entry in disk.partitions]
    return "\n".join(lines) + "\n"


def _line(entry: PlacedPartition, kind: str, *, grows: bool) -> str:
    words = [f"start={entry.start}"]
    words += [] if grows else [f"size={entry.sectors}"]
    words += [f"type={entry.type}"]
    if kind == "dos":
        words += ["bootable"] if entry.attributes == _BOOTABLE else []
    else:
        bits = [bit for bit in range(64) if entry.attributes >> bit & 1]
        attributes = ",".join(_ATTRIBUTES.get(bit, f"GUID:{bit}") for bit in bits)
        words += [f"uuid={entry.part_uuid}", f'name="{_escaped(entry.name)}"']
        words += [f'attrs="{attributes}"'] if attributes else []
    return f"{entry.index} : {', '.join(words)}"


def _escaped(name: str) -> str:
    r"""Return a name with all but letters and digits as sfdisk(8) reads bytes: ``\x20``."""
    return "".join(chr(byte) if chr(byte).isalnum() and byte < 0x80 else f"\\x{byte:02x}" for byte in name.encode())
