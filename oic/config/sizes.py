"""Sizes as recipes write them.

``KiB MiB GiB TiB`` and ``K M G T`` are powers of 1024, ``KB MB GB TB`` powers of 1000, as the public image templates
have it. What is no whole number of 512-byte sectors is rounded up to one.
"""

from __future__ import annotations

import re

from oic.values import Bytes

SECTOR = 512

_SIZE = re.compile(r"([0-9]{1,9}) ?(?:([KMGT])(iB|B)?)", re.ASCII)


def parse_size(text: str) -> Bytes:
    """Return a size in bytes; raises ValueError with what was expected and found."""
    match = _SIZE.fullmatch(text)
    if match is None:
        raise ValueError(f"expected a size such as 4GiB, 4096 MiB or 8GB, found '{text}'")
    number, prefix, suffix = match.groups()
    size = int(number) * (1000 if suffix == "B" else 1024) ** ("KMGT".index(prefix) + 1)
    if size == 0:
        raise ValueError(f"expected a size of one sector of 512 bytes or more, found '{text}'")
    return Bytes(-(-size // SECTOR) * SECTOR)


def shown_size(size: int) -> str:
    """Return a size in the largest binary unit that needs no fraction."""
    for unit, factor in (("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if size and size % factor == 0:
            return f"{size // factor}{unit}"
    return f"{size} bytes"
