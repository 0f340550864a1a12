"""Read the signatures in a package's signature header: OpenPGP packets, parsed strictly before gpg gets them.

* Each tag must contain exactly one signature packet, in the old or the new packet format: of version 3 or 4, of a
  document (type 0), by RSA, DSA, ECDSA or EdDSA, with a strong hash.
* rpm 6 writes signatures of version 6 (RFC 9580) into tag 278, and gpg cannot check them. They are ignored beside
  others, as in rpm 4, and refused when there are no others.
* The tag says what its signature covers: the header, or header and payload.

The format is RFC 4880, sections 4.2, 5.2 and 9. Raises TrustError.
"""

from __future__ import annotations

import base64
import binascii
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from oic.errors import TrustError
from oic.provider.packets import SIGNATURE, MalformedError, length_at, packets_of
from oic.provider.rpm.tags import HASHES, WEAK_HASHES, Sig

if TYPE_CHECKING:
    from collections.abc import Iterator

    from oic.provider.rpm.header import Header

_NUMBERS = {1: 1, 3: 1, 17: 2, 19: 2, 22: 2}  # public-key algorithm: numbers (MPIs) in a signature
_ISSUER, _ISSUER_FINGERPRINT = 16, 33


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """One signature: its `packet`, its hash, the `issuer`'s key id in hexadecimal, and what it covers."""

    packet: bytes
    hash: str
    issuer: str
    over_payload: bool


def signatures_of(header: Header) -> tuple[Signature, ...]:
    """Return the well-formed signatures of a signature header; empty when the package is unsigned."""
    found, beyond = [], False
    for tag, packet in _packets(header):
        try:
            body = _body(packet)
            if tag is Sig.OPENPGP and body[0] == 6:
                beyond = True
                continue
            found.append(_signature(packet, body, over_payload=tag > Sig.SIZE))
        except MalformedError as error:
            message = f"expected one OpenPGP signature in tag {tag:d} ({tag.name}), found {error}"
            raise TrustError(message, where=header.where) from None
    if beyond and not found:
        message = "expected a signature of version 4, found only those of version 6, which gpg cannot check"
        raise TrustError(message, where=header.where)
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


def _signature(packet: bytes, body: bytes, *, over_payload: bool) -> Signature:
    if body[0] not in (3, 4):
        raise MalformedError(f"a signature of version {body[0]}")
    try:
        kind, algorithm, hash_number, issuer, rest = _version_3(body) if body[0] == 3 else _version_4(body)
        if kind != 0:
            raise MalformedError(f"a signature of type {kind}, not one of a document")
        if hash_number not in HASHES:
            raise MalformedError(f"one of {WEAK_HASHES.get(hash_number, f'hash algorithm {hash_number}')}, too weak")
        if algorithm not in _NUMBERS:
            raise MalformedError(f"one of public-key algorithm {algorithm}")
        _check_numbers(rest, _NUMBERS[algorithm])
    except (struct.error, IndexError):
        raise MalformedError("a packet cut off inside") from None
    return Signature(packet=packet, hash=HASHES[hash_number], issuer=issuer, over_payload=over_payload)


def _body(data: bytes) -> bytes:
    """Return the body of the only packet."""
    packets = list(packets_of(data))
    if [packet.kind for packet in packets] != [SIGNATURE]:
        found = ", ".join(str(packet.kind) for packet in packets[:4])
        raise MalformedError(f"packets of type {found}" if packets else "no packet")
    if not packets[0].body:
        raise MalformedError("an empty packet")
    return packets[0].body


def _version_3(body: bytes) -> tuple[int, int, int, str, bytes]:
    """Return type, key algorithm, hash, issuer and the rest (section 5.2.2)."""
    _, hashed, kind, _time, issuer, algorithm, hash_number, _left = struct.unpack_from(">BBBI8sBB2s", body)
    if hashed != 5:
        raise MalformedError(f"{hashed} hashed bytes where version 3 has 5")
    return kind, algorithm, hash_number, issuer.hex().upper(), body[19:]


def _version_4(body: bytes) -> tuple[int, int, int, str, bytes]:
    """Return the same as `_version_3` (section 5.2.3)."""
    _, kind, algorithm, hash_number, hashed_size = struct.unpack_from(">BBBBH", body)
    unhashed_at = 6 + hashed_size
    (unhashed_size,) = struct.unpack_from(">H", body, unhashed_at)
    end = unhashed_at + 2 + unhashed_size
    hashed, unhashed = body[6:unhashed_at], body[unhashed_at + 2 : end]
    if len(body) < end + 2:
        raise MalformedError("a packet cut off inside")
    issuer = ""
    for number, content in (*_subpackets(hashed), *_subpackets(unhashed)):
        if number == _ISSUER and len(content) == 8:
            issuer = issuer or content.hex().upper()
        if number == _ISSUER_FINGERPRINT and len(content) == 21:
            issuer = issuer or content[-8:].hex().upper()
    if not issuer:
        raise MalformedError("one that names no key")
    return kind, algorithm, hash_number, issuer, body[end + 2 :]


def _subpackets(area: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(area):
        size, width = _subpacket_length(area, at)
        at += width
        if not 0 < size <= len(area) - at:
            raise MalformedError("a damaged subpacket")
        yield area[at] & 0x7F, area[at + 1 : at + size]
        at += size


def _subpacket_length(area: bytes, at: int) -> tuple[int, int]:
    """Return a subpacket's length (section 5.2.3.1), which is encoded as a packet's, but is never partial."""
    if 224 <= area[at] < 255:
        (second,) = struct.unpack_from(">B", area, at + 1)
        return ((area[at] - 192) << 8) + second + 192, 2
    return length_at(area, at)


def _check_numbers(data: bytes, count: int) -> None:
    """Raise an error unless data are `count` multiprecision integers (section 3.2) and nothing else."""
    at = 0
    for _ in range(count):
        (bits,) = struct.unpack_from(">H", data, at)
        at += 2 + (bits + 7) // 8
    if at != len(data):
        raise MalformedError(f"{len(data) - at} bytes too many or too few")
