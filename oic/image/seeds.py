"""Every identifier of an image, derived from one seed and a word that says what it is for.

* The same seed and purpose give the same identifier on any machine; two purposes never share one.
* UUIDs are of version 8 (RFC 9562 section 5.8: "custom"): 122 bits of sha256, version and variant set, so that nobody
  takes them for random ones.
"""

from __future__ import annotations

import hashlib
import uuid


def _digest(seed: str, purpose: str) -> bytes:
    """Hash the two texts with their lengths told apart: ("ab", "c") is not ("a", "bc")."""
    return hashlib.sha256(f"{len(seed.encode())}:{seed}{purpose}".encode()).digest()


def uuid_for(seed: str, purpose: str) -> str:
    """Return a UUID in the usual 36 lower-case characters, for PARTUUIDs, file systems and hash seeds."""
    raw = bytearray(_digest(seed, purpose)[:16])
    raw[6] = raw[6] & 0x0F | 0x80
    raw[8] = raw[8] & 0x3F | 0x80
    return str(uuid.UUID(bytes=bytes(raw)))


def volume_id_for(seed: str, purpose: str) -> int:
    """Return a FAT volume id: 32 bits, never 0, which some firmware takes for "none"."""
    return int.from_bytes(_digest(seed, purpose)[:4], "big") or 1
