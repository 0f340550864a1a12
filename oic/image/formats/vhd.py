"""vhd of fixed size, as clouds require it: the raw disk, whose size is in whole MiB, and a footer of 512 bytes.

The footer is that of Microsoft's "Virtual Hard Disk Image Format Specification", October 2006. It is big-endian and
contains the time of creation, a UUID, and the complement of the sum of its bytes.
"""

from __future__ import annotations

import struct
import uuid as uuids
from typing import IO

QEMU = "vpc"
OPTIONS = "subformat=fixed,force_size=on"
"""Without `force_size` qemu-img rounds the size to cylinders, which clouds refuse."""
UNIT = 1 << 20

_SIZE = 512
_COOKIE = b"conectix"
_TIME = slice(24, 28)
_CHECKSUM = slice(64, 68)
_IDENTIFIER = slice(68, 84)


def set_identifiers(image: IO[bytes], uuid: str) -> None:
    """Set the footer's UUID, and its time to 0, which means the beginning of the year 2000."""
    image.seek(-_SIZE, 2)
    footer = bytearray(image.read())
    if not footer.startswith(_COOKIE):
        raise ValueError("expected the footer of a vhd")
    footer[_TIME] = bytes(4)
    footer[_IDENTIFIER] = uuids.UUID(uuid).bytes
    footer[_CHECKSUM] = bytes(4)
    footer[_CHECKSUM] = struct.pack(">I", ~sum(footer) & 0xFFFFFFFF)
    image.seek(-_SIZE, 2)
    image.write(footer)
