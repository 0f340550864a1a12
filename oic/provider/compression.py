"""Decompress an index, never to more than was announced: a small file may unpack to more than there is memory."""

from __future__ import annotations

import bz2
import lzma
import zlib
from typing import TYPE_CHECKING, Any

import zstandard

from oic.errors import TrustError

if TYPE_CHECKING:
    from collections.abc import Callable

_XZ_MEMORY = 256 * 2**20
_ZSTD_WINDOW = 2**27
_PIECE = 2**7
"""Four bytes of zstd may stand for 128 KiB."""

PREFERRED = ("xz", "gz", "")
"""What a Debian index may be compressed with, best first; empty: not at all."""
SUPPORTED = ("bz2", "gz", "xz", "zst", "")
"""What `decompressed` knows, as file names end."""


def decompressed(data: bytes, compression: str, limit: int, *, where: str) -> bytes:
    """Return the plain bytes; raises TrustError when they are damaged, cut off, or more than `limit`."""
    try:
        plain, ended = _DECOMPRESSORS[compression](data, limit + 1)
    except (lzma.LZMAError, zlib.error, zstandard.ZstdError, OSError, EOFError) as error:
        raise TrustError(f"expected {compression} data, found damage: {error}", where=where) from None
    if len(plain) > limit:
        raise TrustError(f"expected {limit} bytes when decompressed, found more", where=where)
    if not ended:
        raise TrustError(f"expected a whole {compression} file, found one cut off", where=where)
    return plain


def _streams(data: bytes, limit: int, new: Callable[[], Any]) -> tuple[bytes, bool]:
    """Unpack a file of one or several streams, each by a `new` decompressor of the standard library."""
    plain = bytearray()
    ended = False
    while data and len(plain) < limit:
        stream = new()
        plain += stream.decompress(data, limit - len(plain))
        ended = stream.eof
        data = stream.unused_data if ended else b""
    return bytes(plain), ended


def _zst(data: bytes, limit: int) -> tuple[bytes, bool]:
    """Unpack a file of one or several frames, in pieces so small that none unpacks to more than memory holds."""
    context = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW)
    plain = bytearray()
    stream = context.decompressobj()
    for start in range(0, len(data), _PIECE):
        piece = data[start : start + _PIECE]
        while piece and len(plain) < limit:
            if stream.eof:
                stream = context.decompressobj()
            plain += stream.decompress(piece)
            piece = stream.unused_data
    return bytes(plain[:limit]), stream.eof


_DECOMPRESSORS: dict[str, Callable[[bytes, int], tuple[bytes, bool]]] = {
    "bz2": lambda data, limit: _streams(data, limit, bz2.BZ2Decompressor),
    "gz": lambda data, limit: _streams(data, limit, lambda: zlib.decompressobj(wbits=31)),
    "xz": lambda data, limit: _streams(data, limit, lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY)),
    "zst": _zst,
    "": lambda data, limit: (data[:limit], True),
}
