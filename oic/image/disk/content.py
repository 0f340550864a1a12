"""Disks and partitions that are as large as their content wants (``size: auto``). Pure.

What depends on the content is computed when the content is there, by the stages: from the sizes of the file systems
come the positions. Identifiers and numbers do not depend on them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from oic.config.model import Disk  # noqa: TC001 - read when a slice is decoded
from oic.config.sizes import SECTOR
from oic.image.disk.bios import with_core_place
from oic.image.disk.geometry import layout, sectors_of
from oic.image.disk.kinds import ALIGNMENT, MIB, TABLE_KINDS
from oic.values import Bytes, Value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from oic.config.model import Partition
    from oic.image.disk.placed import Layout


class ByContent(Value):
    """A disk that can be placed once sizes are known; with `is_legacy`, GRUB gets a partition for its core image."""

    disk: Disk
    seed: str
    is_legacy: bool

    @property
    def waits(self) -> bool:
        """Tell whether a size is that of the content."""
        return any(is_by_content(entry, self.disk) for entry in self.disk.partitions)

    def placed(self, sizes: Mapping[str, Bytes]) -> Layout:
        """Return the layout with these sizes by partition; raises RecipeError where they do not fit.

        A size that is not known is taken for the least: all but positions and sizes is right then.
        """
        kind = TABLE_KINDS[self.disk.table]
        partitions = tuple(
            replace(entry, end=None, size=sizes.get(entry.id, Bytes(MIB)), by_content=False)
            if is_by_content(entry, self.disk)
            else entry
            for entry in self.disk.partitions
        )
        disk = replace(self.disk, partitions=partitions)
        if not disk.size:
            ends = [start + count for start, count in sectors_of(disk, kind).values()]
            behind = ALIGNMENT if kind.backup_sectors else 0
            disk = replace(disk, size=Bytes((max(ends, default=ALIGNMENT) + behind) * SECTOR))
        placed = layout(disk, self.seed, kind)
        return with_core_place(placed, kind, self.seed) if self.is_legacy else placed


def is_by_content(entry: Partition, disk: Disk) -> bool:
    """Tell whether a partition is as large as its content wants: it, or the disk whose rest it takes."""
    return entry.by_content or (not disk.size and is_rest(entry))


def is_rest(entry: Partition) -> bool:
    """Tell whether a partition takes the rest of the disk."""
    return entry.end is None and entry.size is None
