"""vmdk, VMware's format. A text that begins in the second sector has a random content identifier (CID) of qemu-img.

The text is the descriptor of "VMware Virtual Disk Format 5.0". A CID has at most eight hexadecimal digits.
"""

from __future__ import annotations

import re
from typing import IO

from oic.image.seeds import volume_id_for

QEMU = "vmdk"
OPTIONS = ""
UNIT = 512

_MAGIC = b"KDMV"
_DESCRIPTOR = 512
_LENGTH = 20 * 512
_CID = rb"(?m)^CID=[0-9a-f]{1,8}\n"
_NO_PARENT = 0xFFFFFFFF


def set_identifiers(image: IO[bytes], uuid: str) -> None:
    """Set the CID."""
    if image.read(len(_MAGIC)) != _MAGIC:
        raise ValueError("expected the magic number of a vmdk")
    image.seek(_DESCRIPTOR)
    text = image.read(_LENGTH)
    cid = min(volume_id_for(uuid, "content"), _NO_PARENT - 1)
    changed, count = re.subn(_CID, f"CID={cid:08x}\n".encode(), text.rstrip(b"\0"))
    if count != 1:
        raise ValueError("expected one CID in the descriptor of a vmdk")
    image.seek(_DESCRIPTOR)
    image.write(changed.ljust(_LENGTH, b"\0"))
