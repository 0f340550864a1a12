"""Kinds of partition table and their limits."""

from __future__ import annotations

from dataclasses import dataclass

from oic.values import Sector

BOOT_CODE = 440
"""How many bytes of sector 0 are code: then come the MBR's signature and partitions (UEFI 2.10, table 5.1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableKind:
    """A kind of table: its `name` in recipes, the first free sector, and the sectors used at the end of the disk.

    `max_name` counts UTF-16 code units.
    """

    name: str
    first_usable: Sector
    backup_sectors: int
    max_partitions: int
    max_name: int


GPT = TableKind(
    name="gpt",
    # UEFI 2.10 section 5.3.1: the protective MBR, one sector for the header, 16,384 bytes for the entries
    first_usable=Sector(34),
    backup_sectors=33,
    max_partitions=128,
    max_name=36,  # table 5.7: 72 bytes
)
TABLE_KINDS = {kind.name: kind for kind in (GPT,)}
"""By their names in recipes."""
