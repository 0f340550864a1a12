"""What a package holds, decompressed as a stream: in bounded memory, and to a bounded size, whatever it claims.

* Compressors are called by rpm's names.
* A package may unpack to `FREE` bytes and `RATIO` times its own size. Installed-Size is no bound, it is the package's
  own word. Of the 66,372 packages of Debian 12 the one that comes nearest (piglit, 33 MB) takes half of that.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zlib
from typing import IO, TYPE_CHECKING, Protocol, cast

import zstandard

from oic.errors import TrustError

if TYPE_CHECKING:
    from collections.abc import Callable

FREE = 1 << 30
RATIO = 100
_CHUNK = 1 << 18
_XZ_MEMORY = 256 << 20
_ZSTD_WINDOW = 128 << 20  # of zstd's level 22, the most that rpm can ask for
_DAMAGE = (lzma.LZMAError, zlib.error, zstandard.ZstdError, gzip.BadGzipFile, EOFError)


class _Decompressor(Protocol):
    """What the standard library's xz and bzip2 decompressors have in common."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


class _Streams:
    """One or several compressed streams, one after the other."""

    def __init__(self, raw: IO[bytes], new: Callable[[], _Decompressor]) -> None:
        self._raw = raw
        self._new = new
        self._current = new()

    def read(self, size: int) -> bytes:
        data = b""
        while not data:
            if self._current.eof:
                more = self._current.unused_data or self._raw.read(_CHUNK)
                if not more:
                    return b""
                self._current = self._new()
            else:
                more = self._raw.read(_CHUNK) if self._current.needs_input else b""
                if self._current.needs_input and not more:
                    raise EOFError("cut off")
            data = self._current.decompress(more, size)
        return data


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class _Plain(io.RawIOBase):
    """The plain bytes; damage, and more than there may be, becomes a TrustError wherever it is met."""

    def __init__(self, stream: _Readable, most: int, what: str, where: str) -> None:
        self._stream = stream
        self._most = most
        self._left = most
        self._what = what
        self._where = where

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        try:
            data = self._stream.read(len(buffer))
        except _DAMAGE as error:
            raise self._damaged(error) from None
        except OSError as error:
            if error.errno is not None:
                raise
            raise self._damaged(error) from None  # bzip2's way to say it
        self._left -= len(data)
        if self._left < 0:
            message = f"expected {self._what} to unpack to at most {self._most >> 20} MiB, found more"
            raise TrustError(message, where=self._where)
        buffer[: len(data)] = data
        return len(data)

    def _damaged(self, error: Exception) -> TrustError:
        return TrustError(f"{self._what} cannot be decompressed: {error}", where=self._where)


def most_unpacked(size: int) -> int:
    """Return to how many bytes a package of this size may unpack."""
    return FREE + RATIO * size


def plain_stream(file: IO[bytes], compressor: str, most: int, *, where: str, what: str = "the payload") -> IO[bytes]:
    """Return a reader of what begins at the file's position, `most` bytes when it is unpacked; raises TrustError.

    An rpm's header names no compressor for a payload that is not compressed, and old ones none for gzip.
    """
    if not compressor:
        at = file.tell()
        compressor = "gzip" if file.read(2) == b"\x1f\x8b" else "none"
        file.seek(at)
    if compressor not in _READERS:
        raise TrustError(f"expected {what} of {', '.join(_READERS)}, found {compressor!r}", where=where)
    return io.BufferedReader(_Plain(_READERS[compressor](file), most, what, where), _CHUNK)


def _gzip(file: IO[bytes]) -> _Readable:
    return cast("_Readable", gzip.GzipFile(fileobj=file, mode="rb"))


def _zstd(file: IO[bytes]) -> _Readable:
    decompressor = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW)
    return decompressor.stream_reader(file, read_size=_CHUNK, read_across_frames=True, closefd=False)


def _xz(file: IO[bytes]) -> _Readable:
    return _Streams(file, lambda: lzma.LZMADecompressor(lzma.FORMAT_AUTO, _XZ_MEMORY))


_READERS: dict[str, Callable[[IO[bytes]], _Readable]] = {
    "gzip": _gzip,
    "bzip2": lambda file: _Streams(file, bz2.BZ2Decompressor),
    "lzma": _xz,
    "xz": _xz,
    "zstd": _zstd,
    "none": lambda file: file,
}
