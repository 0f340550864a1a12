"""The attribute bits of a GPT entry, from the flags of a recipe. Pure.

Bits: UEFI 2.10 table 5.8, and the Discoverable Partitions Specification; bit 62 is Microsoft's, for basic data.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from oic.config.partition_types import type_guid

if TYPE_CHECKING:
    from oic.config.model import Partition

_BITS = {"required": 0, "legacy_boot": 2, "grow": 59, "read-only": 60, "hidden": 62, "no-auto": 63}
# Flags of parted that GPT expresses by the partition type; no bit is set for them.
_IMPLIED_BY_TYPE = frozenset({"bios_grub", "boot", "esp", "swap"})
FLAGS = tuple(sorted({*_BITS, *_IMPLIED_BY_TYPE}))
"""All known flags."""
# systemd-gpt-auto-generator(8) creates units for partitions of these types; without a file system the units fail.
_AUTOMATIC_NAMES = ("linux-swap", "linux-home", "linux-srv", "linux-var", "linux-tmp", "xbootldr")
_AUTOMATIC = frozenset(type_guid(name) for name in _AUTOMATIC_NAMES)


def attributes_of(entry: Partition) -> int:
    """Return a partition's 64 bits; one without a file system is excluded from automatic mounts and swap."""
    empty = not entry.fs_type and entry.type_uuid.lower() in _AUTOMATIC
    flags = set(entry.flags) - _IMPLIED_BY_TYPE | ({"no-auto"} if empty else set())
    return sum(1 << _BITS[flag] for flag in flags)
