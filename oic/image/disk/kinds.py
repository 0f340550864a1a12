"""Kinds of partition table and their limits."""

from __future__ import annotations

from oic.config.sizes import SECTOR
from oic.values import Bytes, Sector, Value

MIB = 1 << 20
ALIGNMENT = MIB // SECTOR
"""Every partition begins and ends on a multiple of so many sectors."""
BOOT_CODE = 440
"""How many bytes of sector 0 are code: then come the MBR's signature and partitions (UEFI 2.10, table 5.1)."""


class TableKind(Value):
    """A kind of table: its `name` in recipes, its article, the first free sector, the sectors it has at the disk's end.

    Of more partitions than it has `slots`, all but the first ones are logical, in an extended partition that takes the
    last slot. `max_name` counts UTF-16 code units; a table without names has 0. `limit` says why a disk is
    not larger than `max_size`.
    """

    name: str
    article: str
    first_usable: Sector
    backup_sectors: int
    slots: int
    max_partitions: int
    max_name: int
    max_size: Bytes
    limit: str


GPT = TableKind(
    name="gpt",
    article="a",
    # UEFI 2.10 section 5.3.1: the protective MBR, one sector for the header, 16,384 bytes for the entries
    first_usable=Sector(34),
    backup_sectors=33,
    slots=128,
    max_partitions=128,
    max_name=36,  # table 5.7: 72 bytes
    max_size=Bytes(1 << 63),
    limit="no file is larger",
)
MBR = TableKind(
    name="mbr",
    article="an",
    first_usable=Sector(1),
    backup_sectors=0,
    slots=4,
    max_partitions=60,  # numbers to 63 are what Linux has device numbers for on every kind of disk
    max_name=0,
    max_size=Bytes((2 << 40) - MIB),  # sectors are counted in 32 bits, and sfdisk warns of 1 << 32 of them
    limit="an MBR counts sectors in 32 bits",
)
TABLE_KINDS = {kind.name: kind for kind in (GPT, MBR)}
"""By their names in recipes."""
