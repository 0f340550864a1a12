"""OpenPGP key files in the form that a package manager takes: ASCII armor (RFC 9580, chapter 6) or binary."""

from __future__ import annotations

import base64
import re
import textwrap

from oic.errors import TrustError

_BLOCK = re.compile(rb"-----BEGIN PGP PUBLIC KEY BLOCK-----\s*?\n(.*?)-----END PGP PUBLIC KEY BLOCK-----", re.DOTALL)
_HEADER = re.compile(rb"[A-Za-z]+: .*")
_CHECK = re.compile(rb"=[A-Za-z0-9+/]{4}")


def as_binary(body: bytes, *, where: str) -> bytes:
    """Return a key file, armored or not, as binary; raises TrustError for armor that cannot be read."""
    blocks = _BLOCK.findall(body)
    try:
        return b"".join(_content(block) for block in blocks) or body
    except ValueError as error:
        raise TrustError(f"expected an OpenPGP key, found armor that cannot be read: {error}", where=where) from None


def as_armor(body: bytes) -> bytes:
    """Return a key file, armored or not, as armor."""
    if _BLOCK.search(body):
        return body
    lines = textwrap.wrap(base64.b64encode(body).decode("ascii"), 64)
    check = base64.b64encode(_crc24(body).to_bytes(3, "big")).decode("ascii")
    begin, end = (f"-----{word} PGP PUBLIC KEY BLOCK-----" for word in ("BEGIN", "END"))
    return "\n".join([begin, "", *lines, f"={check}", end, ""]).encode("ascii")


def _content(block: bytes) -> bytes:
    lines = [line.strip() for line in block.splitlines()]
    data = [
        line for line in lines if line and not _HEADER.fullmatch(line) and not re.fullmatch(rb"=[A-Za-z0-9+/]{4}", line)
    ]
    return base64.b64decode(b"".join(data), validate=True)


def _crc24(data: bytes) -> int:
    """Return the checksum of armor (RFC 9580, 6.1.1)."""
    value = 0xB704CE
    for byte in data:
        value ^= byte << 16
        for _ in range(8):
            value = (value << 1) ^ (0x1864CFB if value & 0x800000 else 0)
    return value & 0xFFFFFF
