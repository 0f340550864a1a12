"""Identifiers of an image, each derived from a seed and a text that names its purpose.

* The same seed and purpose give the same identifier on any machine; different purposes give different ones.
* UUIDs have version 8 (RFC 9562 section 5.8, "custom") and 122 bits of a sha256, so they are not mistaken for random
  ones.
"""

from __future__ import annotations

import hashlib
import uuid


def _digest(seed: str, purpose: str) -> bytes:
    """Hash both texts with the length of the first: ("ab", "c") and ("a", "bc") differ."""
    return hashlib.sha256(f"{len(seed.encode())}:{seed}{purpose}".encode()).digest()


def uuid_for(seed: str, purpose: str) -> str:
    """Return a UUID in the usual 36 lower-case characters, for PARTUUIDs, file systems and hash seeds."""
    raw = bytearray(_digest(seed, purpose)[:16])
    raw[6] = raw[6] & 0x0F | 0x80
    raw[8] = raw[8] & 0x3F | 0x80
    return str(uuid.UUID(bytes=bytes(raw)))


def volume_id_for(seed: str, purpose: str) -> int:
    """Return a FAT volume id: 32 bits, but never 0, which some firmware treats as no id."""
    return int.from_bytes(_digest(seed, purpose)[:4], "big") or 1
