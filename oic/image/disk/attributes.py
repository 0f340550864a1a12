"""The attribute bits of a GPT entry: from a recipe's flags. Pure.

Bits: UEFI 2.10 table 5.8, and the Discoverable Partitions Specification; 62 is Microsoft's for basic data.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from oic.config.partition_types import type_guid

if TYPE_CHECKING:
    from oic.config.model import Partition

_BITS = {"required": 0, "legacy_boot": 2, "grow": 59, "read-only": 60, "hidden": 62, "no-auto": 63}
# Flags of parted's vocabulary that a GPT says by the partition's type: nothing is left to set.
_SAID_BY_TYPE = frozenset({"bios_grub", "boot", "esp", "swap"})
FLAGS = tuple(sorted({*_BITS, *_SAID_BY_TYPE}))
"""The flags there are."""
# Types that systemd-gpt-auto-generator(8) makes units of wherever it finds them; without content those fail.
_FOUND = ("linux-swap", "linux-home", "linux-srv", "linux-var", "linux-tmp", "xbootldr")
_AUTOMATIC = frozenset(type_guid(name) for name in _FOUND)


def attributes_of(entry: Partition) -> int:
    """Return a partition's 64 bits: one without content must not be mounted or swapped on by its type alone."""
    empty = not entry.fs_type and entry.type_uuid.lower() in _AUTOMATIC
    flags = set(entry.flags) - _SAID_BY_TYPE | ({"no-auto"} if empty else set())
    return sum(1 << _BITS[flag] for flag in flags)
