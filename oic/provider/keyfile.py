"""Take keys out of a key file: those of version 6 (RFC 9580), as gpg imports nothing of a file that has one, and those
that the recipe does not name by fingerprint.

* A file is armoured blocks (RFC 4880 section 6.2) or packets; a key begins with its public-key packet (section 11.1).
* A file without such keys, and a file that cannot be parsed, stays as it is; gpg decides about it.
* Only whole keys are removed. gpg checks the rest as usual, except for the checksum of an armour.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from itertools import chain
from typing import TYPE_CHECKING

from oic.errors import TrustError
from oic.provider.packets import PUBLIC_KEY, MalformedError, packets_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from oic.provider.packets import Packet

_BEGIN, _END = b"-----BEGIN PGP PUBLIC KEY BLOCK-----", b"-----END PGP PUBLIC KEY BLOCK-----"


def without_version_6(body: bytes, url: str) -> bytes:
    """Return a key file that gpg can read; raises TrustError when all its keys are of version 6."""
    try:
        keys = _keys(body)
    except (binascii.Error, MalformedError):
        return body
    kept = [packets for first, packets in keys if first.body[:1] != b"\x06"]
    if keys and not kept:
        raise TrustError("expected an OpenPGP key of version 4, found only version 6, which gpg cannot use", where=url)
    return body if len(kept) == len(keys) else b"".join(chain.from_iterable(kept))


def only(body: bytes, fingerprints: Collection[str], url: str) -> bytes:
    """Return a key file with the keys of these fingerprints alone, not armoured; raises TrustError when it has none."""
    try:
        keys = _keys(body)
    except (binascii.Error, MalformedError) as error:
        raise TrustError(f"expected a key file, found {error}", where=url) from None
    kept = [packets for first, packets in keys if _fingerprint(first.body) in fingerprints]
    if not kept:
        raise TrustError(f"expected the key {', '.join(sorted(fingerprints))}, found others", where=url)
    return b"".join(chain.from_iterable(kept))


def _fingerprint(body: bytes) -> str:
    """Return the fingerprint of a key of version 4 (RFC 4880 section 12.2)."""
    return hashlib.sha1(b"\x99" + len(body).to_bytes(2, "big") + body, usedforsecurity=False).hexdigest().upper()


def _keys(body: bytes) -> list[tuple[Packet, list[bytes]]]:
    """Return the first and all packets of each key in a file."""
    keys: list[tuple[Packet, list[bytes]]] = []
    for packet in packets_of(b"".join(_blocks(body)) or body):
        if packet.kind == PUBLIC_KEY:
            keys.append((packet, [packet.whole]))
        elif keys:
            keys[-1][1].append(packet.whole)
    return keys


def _blocks(body: bytes) -> Iterator[bytes]:
    """Yield the content of armoured blocks: the base64 after the empty line that ends their headers."""
    lines: list[bytes] | None = None
    header = False
    for line in map(bytes.strip, body.split(b"\n")):
        if line == _BEGIN:
            lines, header = [], True
        elif lines is None:
            continue
        elif line == _END:
            yield base64.b64decode(b"".join(lines), validate=True)
            lines = None
        elif header:
            header = bool(line)
        elif not line.startswith(b"="):  # the armour's checksum
            lines.append(line)
