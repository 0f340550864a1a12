"""Decompress what a mirror sent, in bounded memory and to no more bytes than the caller allows.

* A compression is named by the ending of file names, such as ``gz``; the empty name means plain bytes.
* The limit of an index is the size that signed metadata give; that of a package is `package_limit`.
* A file may consist of several streams. The last must be complete, and nothing may follow it.
* Damage, truncation and more bytes than the limit raise TrustError.
"""

from __future__ import annotations

import bz2
import io
import lzma
import zlib
from typing import IO, TYPE_CHECKING, Protocol

import zstandard

from oic.errors import TrustError

if TYPE_CHECKING:
    from collections.abc import Callable

FREE = 1 << 30
RATIO = 100
_CHUNK = 1 << 18
_XZ_MEMORY = 256 << 20
_ZSTD_WINDOW = 128 << 20  # of zstd's level 22, the largest that rpm can ask for
_ZSTD_PIECE = 256  # bytes: four of them can expand to 128 KiB, and the decompressor cannot limit its output
_DAMAGE = (lzma.LZMAError, zlib.error, zstandard.ZstdError, EOFError)


def package_limit(size: int) -> int:
    """Return how many bytes a package of this size may have when decompressed.

    The package's own Installed-Size cannot be trusted as a limit. Of the 66,372 packages of Debian 12, piglit (33 MB)
    comes nearest to this one: it needs half of it.
    """
    return FREE + RATIO * size


def decompressed(data: bytes, compression: str, limit: int, *, where: str, what: str = "the index") -> bytes:
    """Return the plain bytes, `limit` at most; raises TrustError."""
    with plain_stream(io.BytesIO(data), compression, limit, where=where, what=what) as stream:
        return b"".join(iter(lambda: stream.read(_CHUNK), b""))


def plain_stream(file: IO[bytes], compression: str, limit: int, *, where: str, what: str) -> IO[bytes]:
    """Return a reader that decompresses the file from its position on, to at most `limit` bytes.

    Reading raises TrustError. A truncated file is noticed only when it is read to its end.
    """
    return io.BufferedReader(_Plain(file, compression, limit, what, where), _CHUNK)


class _Decompressor(Protocol):
    """A decompressor of one stream, with the interface of those in bz2 and lzma."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


class _Gzip:
    """zlib's decompressor with that interface: it returns unused input to the caller instead of keeping it."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(wbits=31)

    @property
    def eof(self) -> bool:
        return self._stream.eof

    @property
    def needs_input(self) -> bool:
        return not self._stream.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return self._stream.unused_data

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        return self._stream.decompress(self._stream.unconsumed_tail + data, max_length)


class _Zstd:
    """zstandard's decompressor with that interface. It gets small pieces, so that no output is larger than 8 MiB.

    zstandard's `stream_reader` could limit its output, but takes a truncated frame for a complete one.
    """

    def __init__(self) -> None:
        self._frame = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW).decompressobj()
        self._input = memoryview(b"")
        self._output = memoryview(b"")

    @property
    def eof(self) -> bool:
        return self._frame.eof and not self._output

    @property
    def needs_input(self) -> bool:
        return not (self._input or self._output)

    @property
    def unused_data(self) -> bytes:
        return self._frame.unused_data + bytes(self._input)

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        if data:
            self._input = memoryview(data)
        pieces = []
        while max_length > 0 and (self._output or (self._input and not self._frame.eof)):
            if not self._output:
                self._output = memoryview(self._frame.decompress(self._input[:_ZSTD_PIECE]))
                self._input = self._input[_ZSTD_PIECE:]
            pieces.append(self._output[:max_length])
            self._output = self._output[max_length:]
            max_length -= len(pieces[-1])
        return b"".join(pieces)


_DECOMPRESSORS: dict[str, Callable[[], _Decompressor]] = {
    "bz2": bz2.BZ2Decompressor,
    "gz": _Gzip,
    "lzma": lambda: lzma.LZMADecompressor(lzma.FORMAT_ALONE, _XZ_MEMORY),
    "xz": lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, _XZ_MEMORY),
    "zst": _Zstd,
}
SUPPORTED = (*_DECOMPRESSORS, "")


class _Plain(io.RawIOBase):
    """The plain bytes of one or several compressed streams."""

    def __init__(self, file: IO[bytes], compression: str, limit: int, what: str, where: str) -> None:
        self._file = file
        self._compression = compression
        self._new = _DECOMPRESSORS.get(compression)
        self._stream = self._new() if self._new else None
        self._limit = self._left = limit
        self._what = what
        self._where = where

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        try:
            data = self._next(len(buffer))
        except _DAMAGE as error:
            raise self._damaged(error) from None
        except OSError as error:
            if error.errno is not None:
                raise
            raise self._damaged(error) from None  # bz2 raises OSError for damage
        self._left -= len(data)
        if self._left < 0:
            message = f"expected {self._what} to decompress to at most {self._limit} bytes, found more"
            raise TrustError(message, where=self._where)
        buffer[: len(data)] = data
        return len(data)

    def _next(self, size: int) -> bytes:
        """Return the next plain bytes; empty after the last stream."""
        if self._new is None or self._stream is None:
            return self._file.read(size)
        data = b""
        while not data:
            if self._stream.eof:
                more = self._stream.unused_data or self._file.read(_CHUNK)
                if not more:
                    break
                self._stream = self._new()
            else:
                more = self._file.read(_CHUNK) if self._stream.needs_input else b""
                if self._stream.needs_input and not more:
                    raise EOFError("it is truncated")
            data = self._stream.decompress(more, size)
        return data

    def _damaged(self, error: Exception) -> TrustError:
        message = f"{self._what} cannot be decompressed as {self._compression}: {error}"
        return TrustError(message, where=self._where)
