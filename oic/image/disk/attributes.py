"""The attribute bits of a table's entry, from the flags of a recipe. Pure.

* GPT: 64 bits, UEFI 2.10 table 5.8 and the Discoverable Partitions Specification; bit 62 is Microsoft's.
* MBR: the first byte of the entry, of which a BIOS boots the partition that has 0x80.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from oic.config.partition_types import type_guid
from oic.image.disk.kinds import GPT

if TYPE_CHECKING:
    from oic.config.model import Partition
    from oic.image.disk.kinds import TableKind

_BITS = {"required": 0, "legacy_boot": 2, "grow": 59, "read-only": 60, "hidden": 62, "no-auto": 63}
# Flags of parted that a table expresses by the partition type; no bit is set for them.
_IMPLIED_BY_TYPE = frozenset(
    {"bios_grub", "bls_boot", "boot", "diag", "esp", "irst", "lvm", "msftdata", "msftres", "prep", "raid", "swap"}
)
_MBR = {"boot": 0x80, "esp": 0, "lba": 0, "lvm": 0, "raid": 0, "swap": 0}
# systemd-gpt-auto-generator(8) creates units for partitions of these types; without a file system the units fail.
_AUTOMATIC_NAMES = ("linux-swap", "linux-home", "linux-srv", "linux-var", "linux-tmp", "xbootldr")
_AUTOMATIC = frozenset(type_guid(name) for name in _AUTOMATIC_NAMES)


def flags_of(kind: TableKind) -> tuple[str, ...]:
    """Return all flags that a kind of table knows."""
    return tuple(sorted({*_BITS, *_IMPLIED_BY_TYPE} if kind == GPT else _MBR))


def attributes_of(entry: Partition, kind: TableKind) -> int:
    """Return a partition's bits; one without a file system is excluded from automatic mounts and swap of a GPT."""
    if kind != GPT:
        return max((_MBR[flag] for flag in entry.flags), default=0)
    empty = not entry.fs_type and entry.type_uuid.lower() in _AUTOMATIC
    flags = set(entry.flags) - _IMPLIED_BY_TYPE | ({"no-auto"} if empty else set())
    return sum(1 << _BITS[flag] for flag in flags)
