"""Recognises private keys by their content. Pure.

A label alone is no key: an example in a manual has no base64 that decodes to one. Formats: RFC 7468 (PEM), RFC 5958
(PKCS #8), RFC 8017 appendix A (PKCS #1), RFC 5915 (SEC 1), OpenSSH's PROTOCOL.key, RFC 4880, libgcrypt's S-expressions,
BIND's ``Private-key-format``, wg(8).
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_SEARCHED = 1 << 20
"""How many bytes at the beginning of a file are searched."""
_PEM = re.compile(rb"-----BEGIN ((?:[A-Z0-9]+ )*)PRIVATE KEY(?: BLOCK)?-----((?:(?!-----).)*)-----END ", re.DOTALL)
"""The time of the search is linear in the size of the file, for this and the other expressions."""
_HEADER = re.compile(rb"^[A-Za-z-]+: .*$|^=[A-Za-z0-9+/]{4}$", re.MULTILINE)
"""A header line (RFC 1421 or OpenPGP armour) before the base64, or the armour's checksum after it."""
_OPENSSH = b"openssh-key-v1\0"
_TEXTS = {
    "GnuPG": re.compile(rb"(?:\A\(\d\d:|^Key: \()(?:protected-|shadowed-)?private-key\W", re.MULTILINE),
    "PuTTY": re.compile(rb"^PuTTY-User-Key-File-\d: ", re.MULTILINE),
    "BIND": re.compile(rb"^Private-key-format: v\d", re.MULTILINE),
    "age": re.compile(rb"^AGE-SECRET-KEY-1[0-9A-Z]{58}", re.MULTILINE),
    "WireGuard": re.compile(rb"^[ \t]*PrivateKey[ \t]*=[ \t]*[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=", re.MULTILINE),
}
_SEQUENCE, _INTEGER, _OCTETS, _OID = 0x30, 0x02, 0x04, 0x06
_PBES = (bytes.fromhex("2a864886f70d01050d"), bytes.fromhex("2a864886f70d010c01"))
"""The object identifiers of encrypted PKCS #8 keys: PBES2, and the prefix of those of PKCS #12."""


def private_key_in(data: bytes) -> str:
    """Return the format of a private key in a file's content; empty if there is none."""
    for found in _PEM.finditer(data):
        if kind := _armoured(found[1].decode().strip(), found[2]):
            return kind
    for name, pattern in _TEXTS.items():
        if pattern.search(data):
            return name
    return _der(data)


def _armoured(label: str, body: bytes) -> str:
    text = b"".join(_HEADER.sub(b"", body).split())
    try:
        content = base64.b64decode(text, validate=True)
    except binascii.Error:
        return ""
    if content.startswith(_OPENSSH):
        return "OpenSSH"
    if label == "PGP":
        return "OpenPGP" if len(content) > 32 and content[0] & 0x80 else ""
    if b"Proc-Type:" in body:  # encrypted as in RFC 1421, so the content cannot be checked
        return f"PEM, {label}, encrypted" if len(content) > 32 else ""
    return f"PEM, {_der(content)}" if _der(content) else ""


def _der(data: bytes) -> str:
    """Return the format of a key if `data` is exactly one, in DER."""
    whole = _value(data, 0)
    if not whole or data[0] != _SEQUENCE or whole[1] != len(data):
        return ""
    children = list(_children(data, whole[0], whole[1]))
    tags = [tag for tag, _, _ in children[:3]]
    version = data[children[0][1] : children[0][2]] if children else b""
    if tags[:2] == [_SEQUENCE, _OCTETS]:
        oid = next(_children(data, *children[0][1:]), (0, 0, 0))
        encrypted = oid[0] == _OID and data[oid[1] : oid[2]].startswith(_PBES)
        return "PKCS #8, encrypted" if encrypted else ""
    if tags == [_INTEGER, _SEQUENCE, _OCTETS] and version in (b"\0", b"\1"):
        return "PKCS #8"
    if tags[:2] == [_INTEGER, _OCTETS] and version == b"\1":
        return "SEC 1"
    if tags == [_INTEGER] * 3 and version in (b"\0", b"\1") and len(children) >= 6:
        return "PKCS #1"
    return ""


def _children(data: bytes, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Yield the elements of a constructed value: tag, and the offsets of the start and end of its value."""
    while start < end and (found := _value(data, start)) and found[1] <= end:
        yield data[start], found[0], found[1]
        start = found[1]


def _value(data: bytes, at: int) -> tuple[int, int] | None:
    """Return the offsets of the start and end of the value of the element at `at`; None if there is none."""
    if len(data) < at + 2:
        return None
    length, start = data[at + 1], at + 2
    if length & 0x80:
        count = length & 0x7F
        if not 0 < count <= 4:
            return None
        length, start = int.from_bytes(data[start : start + count]), start + count
    return (start, start + length) if start + length <= len(data) else None
