"""vdi, VirtualBox's format. Its header has two UUIDs: that of the image, and that of its last snapshot.

The layout is that of QEMU's block/vdi.c: a text of 64 bytes, then fields with little-endian integers.
"""

from __future__ import annotations

import uuid as uuids
from typing import IO

from oic.image.seeds import uuid_for

QEMU = "vdi"
OPTIONS = ""
UNIT = 512

_SIGNATURE = (0x40, b"\x7f\x10\xda\xbe")
_IDENTIFIERS = 0x188


def set_identifiers(image: IO[bytes], uuid: str) -> None:
    """Set both UUIDs."""
    at, signature = _SIGNATURE
    image.seek(at)
    if image.read(len(signature)) != signature:
        raise ValueError("expected the signature of a vdi")
    image.seek(_IDENTIFIERS)
    for purpose in ("image", "snapshot"):
        image.write(uuids.UUID(uuid_for(uuid, purpose)).bytes_le)
