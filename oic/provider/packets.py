"""Split data into OpenPGP packets: RFC 4880 section 4.2, which RFC 9580 does not change.

Raises MalformedError, whose text completes "found …".
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from oic.values import Value

if TYPE_CHECKING:
    from collections.abc import Iterator

SIGNATURE, PUBLIC_KEY = 2, 6


class MalformedError(Exception):
    """Data that is not made of packets."""


class Packet(Value):
    """One packet: its type, all its bytes, and its `body` within them."""

    kind: int
    whole: bytes
    body: bytes


def packets_of(data: bytes) -> Iterator[Packet]:
    """Yield the packets; the data must hold nothing else."""
    at = 0
    while at < len(data):
        if not data[at] & 0x80:
            raise MalformedError(f"no packet at byte {at}")
        try:
            kind, start, size = _new_format(data, at) if data[at] & 0x40 else _old_format(data, at)
        except struct.error:
            raise MalformedError("a packet cut off inside") from None
        end = at + start + size
        if end > len(data):
            raise MalformedError(f"a packet of {start + size} bytes in {len(data) - at}")
        yield Packet(kind=kind, whole=data[at:end], body=data[at + start : end])
        at = end


def length_at(data: bytes, at: int) -> tuple[int, int]:
    """Return a body's length and how many bytes encode it (section 4.2.2); a partial length is refused."""
    (first,) = struct.unpack_from(">B", data, at)
    if first < 192:
        return first, 1
    if first < 224:
        (second,) = struct.unpack_from(">B", data, at + 1)
        return ((first - 192) << 8) + second + 192, 2
    if first < 255:
        raise MalformedError("a packet in parts")
    (size,) = struct.unpack_from(">I", data, at + 1)
    return size, 5


def _new_format(data: bytes, at: int) -> tuple[int, int, int]:
    size, width = length_at(data, at + 1)
    return data[at] & 0x3F, 1 + width, size


def _old_format(data: bytes, at: int) -> tuple[int, int, int]:
    code = ("B", "H", "I")
    width = data[at] & 3
    if width == 3:
        raise MalformedError("a packet without a length")
    (size,) = struct.unpack_from(">" + code[width], data, at + 1)
    return data[at] >> 2 & 0xF, 1 + (1 << width), size
