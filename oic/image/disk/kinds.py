"""Kinds of partition table: what each has room for. A value that the layout takes, so that it is the same for all."""

from __future__ import annotations

from dataclasses import dataclass

from oic.values import Sector


@dataclass(frozen=True, slots=True, kw_only=True)
class TableKind:
    """A kind: the recipe's `name` for it, the first sector it leaves free and how many it takes at the end.

    `most_name` counts characters, as UTF-16 has them.
    """

    name: str
    first_usable: Sector
    backup_sectors: int
    most_partitions: int
    most_name: int


GPT = TableKind(
    name="gpt",
    # UEFI 2.10 section 5.3.1: 16,384 bytes for the entries, one sector for the header, and in front the protective MBR
    first_usable=Sector(34),
    backup_sectors=33,
    most_partitions=128,
    most_name=36,  # table 5.7: 72 bytes
)
TABLE_KINDS = {kind.name: kind for kind in (GPT,)}
"""By the recipe's word."""
