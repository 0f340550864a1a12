"""The place of GRUB's core image on a disk that a BIOS boots. Pure.

    GPT   | MBR | GPT | BIOS boot partition | 1 MiB  partition | ...
    MBR   | MBR | core image                | 1 MiB  partition | ...

* With a GPT it is a partition of its own: the recipe's of type ``bios``, else one that is added, in the gap in front of
  the first MiB where nothing else begins. The added one has the last number: the recipe's keep theirs.
* With an MBR it is the gap.

GRUB manual 2.06, section 3.4 ("BIOS installation").
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from oic.config.partition_types import type_guid
from oic.errors import RecipeError
from oic.image.boot.place import CorePlace
from oic.image.disk.kinds import ALIGNMENT, GPT
from oic.image.disk.mbr import extended_of
from oic.image.disk.placed import PlacedPartition
from oic.image.seeds import uuid_for
from oic.values import Sector

if TYPE_CHECKING:
    from oic.image.disk.kinds import TableKind
    from oic.image.disk.placed import Layout

BIOS_BOOT = type_guid("bios")
LEAST = Sector(256)
"""What a core image is given at least: with the modules for one file system it takes a quarter of that."""
_NAME = "bios-boot"


def with_core_place(disk: Layout, kind: TableKind, seed: str) -> Layout:
    """Return the layout with a partition for the core image where the table asks for one and the recipe has none."""
    if kind != GPT or any(entry.type == BIOS_BOOT for entry in disk.partitions):
        return disk
    if len(disk.partitions) >= kind.max_partitions:
        most = kind.max_partitions - 1
        text = f"disk.partitions: expected at most {most} beside the one that GRUB needs for a BIOS, found {most + 1}"
        raise RecipeError(text)
    ids = {entry.id for entry in disk.partitions}
    added = PlacedPartition(
        index=len(disk.partitions) + 1,
        id=next(name for name in (_NAME, *(f"{_NAME}-{number}" for number in range(len(ids)))) if name not in ids),
        name=_NAME,
        type=str(BIOS_BOOT),
        part_uuid=uuid_for(seed, f"partition {_NAME}"),
        start=kind.first_usable,
        sectors=Sector(ALIGNMENT - kind.first_usable),
        attributes=0,
    )
    return replace(disk, partitions=(*disk.partitions, added))


def core_place(disk: Layout, kind: TableKind) -> CorePlace:
    """Return where the core image lies; raises RecipeError where there is no room for one."""
    for entry in disk.partitions if kind == GPT else ():
        if entry.type == BIOS_BOOT:
            place = CorePlace(sector=entry.start, sectors=entry.sectors, partition=entry.id)
            break
    else:
        extended = extended_of(disk) if kind != GPT else None
        starts = [*(entry.start for entry in disk.partitions), *(extended[:1] if extended else ())]
        first = min(starts, default=ALIGNMENT)
        place = CorePlace(sector=Sector(1), sectors=Sector(first - 1), partition="")
    if place.sectors < LEAST:
        needs = f"expected {LEAST} sectors for GRUB's core image in front of the first partition"
        raise RecipeError(f"disk.partitions: {needs}, found {place.sectors}: let it begin at 1 MiB")
    return place
