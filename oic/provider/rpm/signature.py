"""The signatures in a package's signature header: OpenPGP packets, parsed strictly before gpg sees them.

* Each tag holds exactly one signature packet and nothing else: in the old or the new packet format, version 3 or 4, of
  a document (type 0), by RSA, DSA, ECDSA or EdDSA, with a hash that counts. What gpg would make of more is not asked.
* A tag says what its signature is over: the header, or header and payload.

The format is RFC 4880, sections 4.2, 5.2 and 9. Raises TrustError.
"""

from __future__ import annotations

import base64
import binascii
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from oic.errors import TrustError
from oic.provider.rpm.tags import HASHES, WEAK_HASHES, Sig

if TYPE_CHECKING:
    from collections.abc import Iterator

    from oic.provider.rpm.header import Header

_SIGNATURE_PACKET = 2
_NUMBERS = {1: 1, 3: 1, 17: 2, 19: 2, 22: 2}  # public-key algorithm: numbers (MPIs) in a signature
_ISSUER, _ISSUER_FINGERPRINT = 16, 33


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """One signature: its `packet`, the hash it is of, the `issuer`'s key id in hexadecimal, and what it is over."""

    packet: bytes
    hash: str
    issuer: str
    over_payload: bool


class _MalformedError(Exception):
    """What is wrong with a packet, in words."""


def signatures_of(header: Header) -> tuple[Signature, ...]:
    """Return the signatures of a signature header, each checked in form; none when the package is unsigned."""
    found = []
    for tag, packet in _packets(header):
        try:
            found.append(_signature(packet, over_payload=tag > Sig.SIZE))
        except _MalformedError as error:
            message = f"expected one OpenPGP signature in tag {tag:d} ({tag.name}), found {error}"
            raise TrustError(message, where=header.where) from None
    return tuple(found)


def _packets(header: Header) -> Iterator[tuple[Sig, bytes]]:
    for tag in (Sig.RSA, Sig.DSA, Sig.PGP, Sig.GPG):
        if tag in header.entries:
            yield tag, header.binary(tag)
    for text in header.strings(Sig.OPENPGP):
        try:
            yield Sig.OPENPGP, base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError) as error:
            raise TrustError(f"expected base64 in tag {Sig.OPENPGP:d}, found {error}", where=header.where) from None


def _signature(packet: bytes, *, over_payload: bool) -> Signature:
    body = _body(packet)
    if not body:
        raise _MalformedError("an empty packet")
    if body[0] not in (3, 4):
        raise _MalformedError(f"a signature of version {body[0]}")
    try:
        kind, algorithm, hash_number, issuer, rest = _version_3(body) if body[0] == 3 else _version_4(body)
        if kind != 0:
            raise _MalformedError(f"a signature of type {kind}, not one of a document")
        if hash_number not in HASHES:
            raise _MalformedError(f"one of {WEAK_HASHES.get(hash_number, f'hash algorithm {hash_number}')}, too weak")
        if algorithm not in _NUMBERS:
            raise _MalformedError(f"one of public-key algorithm {algorithm}")
        _check_numbers(rest, _NUMBERS[algorithm])
    except (struct.error, IndexError):
        raise _MalformedError("a packet cut off inside") from None
    return Signature(packet=packet, hash=HASHES[hash_number], issuer=issuer, over_payload=over_payload)


def _body(packet: bytes) -> bytes:
    """Return the body of the only packet."""
    if len(packet) < 2 or not packet[0] & 0x80:
        raise _MalformedError("no packet")
    try:
        kind, start, size = _new_format(packet) if packet[0] & 0x40 else _old_format(packet)
    except struct.error:
        raise _MalformedError("a packet cut off inside") from None
    if kind != _SIGNATURE_PACKET:
        raise _MalformedError(f"a packet of type {kind}")
    if start + size != len(packet):
        raise _MalformedError(f"a packet of {start + size} bytes in {len(packet)}")
    return packet[start:]


def _new_format(packet: bytes) -> tuple[int, int, int]:
    size, width = _length(packet, 1)
    return packet[0] & 0x3F, 1 + width, size


def _length(data: bytes, at: int) -> tuple[int, int]:
    """Return a length and its own width, section 4.2.2; a partial one has no place in a signature."""
    (first,) = struct.unpack_from(">B", data, at)
    if first < 192:
        return first, 1
    if first < 224:
        (second,) = struct.unpack_from(">B", data, at + 1)
        return ((first - 192) << 8) + second + 192, 2
    if first < 255:
        raise _MalformedError("a packet in parts")
    (size,) = struct.unpack_from(">I", data, at + 1)
    return size, 5


def _old_format(packet: bytes) -> tuple[int, int, int]:
    code = ("B", "H", "I")
    kind = packet[0] & 3
    if kind == 3:
        raise _MalformedError("a packet without a length")
    (size,) = struct.unpack_from(">" + code[kind], packet, 1)
    return packet[0] >> 2 & 0xF, 1 + (1 << kind), size


def _version_3(body: bytes) -> tuple[int, int, int, str, bytes]:
    """Return type, key algorithm, hash, issuer and what follows them, section 5.2.2."""
    _, hashed, kind, _time, issuer, algorithm, hash_number, _left = struct.unpack_from(">BBBI8sBB2s", body)
    if hashed != 5:
        raise _MalformedError(f"{hashed} hashed bytes where version 3 has 5")
    return kind, algorithm, hash_number, issuer.hex().upper(), body[19:]


def _version_4(body: bytes) -> tuple[int, int, int, str, bytes]:
    """Return the same, section 5.2.3."""
    _, kind, algorithm, hash_number, hashed_size = struct.unpack_from(">BBBBH", body)
    unhashed_at = 6 + hashed_size
    (unhashed_size,) = struct.unpack_from(">H", body, unhashed_at)
    end = unhashed_at + 2 + unhashed_size
    hashed, unhashed = body[6:unhashed_at], body[unhashed_at + 2 : end]
    if len(body) < end + 2:
        raise _MalformedError("a packet cut off inside")
    issuer = ""
    for number, content in (*_subpackets(hashed), *_subpackets(unhashed)):
        if number == _ISSUER and len(content) == 8:
            issuer = issuer or content.hex().upper()
        if number == _ISSUER_FINGERPRINT and len(content) == 21:
            issuer = issuer or content[-8:].hex().upper()
    if not issuer:
        raise _MalformedError("one that names no key")
    return kind, algorithm, hash_number, issuer, body[end + 2 :]


def _subpackets(area: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(area):
        size, width = _subpacket_length(area, at)
        at += width
        if not 0 < size <= len(area) - at:
            raise _MalformedError("a damaged subpacket")
        yield area[at] & 0x7F, area[at + 1 : at + size]
        at += size


def _subpacket_length(area: bytes, at: int) -> tuple[int, int]:
    """Return a length, section 5.2.3.1: as a packet's, but there are no parts."""
    if 224 <= area[at] < 255:
        (second,) = struct.unpack_from(">B", area, at + 1)
        return ((area[at] - 192) << 8) + second + 192, 2
    return _length(area, at)


def _check_numbers(data: bytes, count: int) -> None:
    """Expect `count` multiprecision integers, section 3.2, and nothing behind them."""
    at = 0
    for _ in range(count):
        (bits,) = struct.unpack_from(">H", data, at)
        at += 2 + (bits + 7) // 8
    if at != len(data):
        raise _MalformedError(f"{len(data) - at} bytes too many or too few")
