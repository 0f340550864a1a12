"""What a FAT file system can hold: its sizes and its labels."""

from __future__ import annotations

from oic.values import Bytes

SIZES = {
    "fat32": (Bytes(1 << 20), Bytes(2 << 40)),
    "fat16": (Bytes(9 << 20), Bytes(4095 << 20)),
    "fat12": (Bytes(1 << 20), Bytes(255 << 20)),
}
"""The least and the most that mkfs.vfat makes of each kind, by their names in recipes."""
_NOT_IN_LABEL = frozenset('"*:<>?\\|+,.;=[]')


def label_problem(label: str) -> str:
    """Return what a valid label is, if this one is invalid. Lower case is valid; some systems change its case."""
    without = "".join(sorted(_NOT_IN_LABEL))
    return f"in ASCII without {without}" if not label.isascii() or _NOT_IN_LABEL & {*label} else ""
