"""A disk as it is to be: its partitions and their positions. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from oic.config.sizes import SECTOR
from oic.values import Bytes, Sector, Value

if TYPE_CHECKING:
    from collections.abc import Mapping


class PlacedPartition(Value):
    """A partition and its position.

    `index` is its number: from 1 on, logical partitions of an MBR from 5 on. `type` is a GUID, or the two hexadecimal
    digits of an MBR's; `attributes` are the 64 bits of the GPT entry, or the status byte of the MBR's.
    """

    index: int
    id: str
    name: str
    type: str
    part_uuid: str
    start: Sector
    sectors: Sector
    attributes: int

    @property
    def offset(self) -> Bytes:
        """The offset on the disk."""
        return Bytes(self.start * SECTOR)

    @property
    def size(self) -> Bytes:
        """The length."""
        return Bytes(self.sectors * SECTOR)


class Layout(Value):
    """A disk: its size, the kind of its table, its GUID (MBR: eight hexadecimal digits), its partitions in order."""

    size: Bytes
    table: str
    disk_uuid: str
    partitions: tuple[PlacedPartition, ...]

    def with_part_uuids(self, part_uuids: Mapping[str, str]) -> Layout:
        """Return the disk with other PARTUUIDs for these partitions, by their ids."""
        own = (replace(entry, part_uuid=part_uuids.get(entry.id, entry.part_uuid)) for entry in self.partitions)
        return replace(self, partitions=tuple(own))
