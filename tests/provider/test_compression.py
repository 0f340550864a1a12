"""Decompression: each compression has a limit, notices truncation and takes nothing after the last stream."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
from typing import TYPE_CHECKING

import pytest
import zstandard

from oic.errors import TrustError
from oic.provider.compression import SUPPORTED, decompressed, package_limit, plain_stream

if TYPE_CHECKING:
    from collections.abc import Callable

COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "bz2": bz2.compress,
    "gz": gzip.compress,
    "lzma": lambda data: lzma.compress(data, lzma.FORMAT_ALONE),
    "xz": lzma.compress,
    "zst": lambda data: zstandard.ZstdCompressor(write_checksum=True).compress(data),
}
PLAIN = b"".join(b"line %d of the content\n" % number for number in range(40)) + os.urandom(300)


def _plain(data: bytes, compression: str, limit: int = 1 << 20) -> bytes:
    return decompressed(data, compression, limit, where="a mirror")


def test_every_compression_is_tested() -> None:
    assert set(SUPPORTED) == {*COMPRESS, ""}


@pytest.mark.parametrize("compression", COMPRESS)
@pytest.mark.parametrize("size", [0, 1, len(PLAIN), 3_000_000])
def test_the_content_comes_back(compression: str, size: int) -> None:
    data = (PLAIN * (size // len(PLAIN) + 1))[:size]
    assert _plain(COMPRESS[compression](data), compression, size) == data


def test_plain_bytes_come_back() -> None:
    assert _plain(PLAIN, "", len(PLAIN)) == PLAIN
    assert _plain(b"", "") == b""


@pytest.mark.parametrize("compression", COMPRESS)
def test_a_file_truncated_at_any_byte_is_refused(compression: str) -> None:
    packed = COMPRESS[compression](PLAIN)
    for size in range(len(packed)):
        with pytest.raises(TrustError, match=r"^a mirror: the index cannot be decompressed as"):
            _plain(packed[:size], compression)


def test_the_limited_reader_of_zstandard_takes_a_truncated_frame_for_a_complete_one() -> None:
    """Why the decompressor here is built on the other one, which has no limit."""
    packed = COMPRESS["zst"](PLAIN)
    with zstandard.ZstdDecompressor().stream_reader(io.BytesIO(packed[:-4])) as reader:
        assert reader.read() == PLAIN
    with pytest.raises(TrustError, match="truncated"):
        _plain(packed[:-4], "zst")


@pytest.mark.parametrize("compression", COMPRESS)
@pytest.mark.parametrize("rest", [b"\0", bytes(4), bytes(512), b"x", b"junk" * 100], ids=len)
def test_nothing_may_follow_the_last_stream(compression: str, rest: bytes) -> None:
    with pytest.raises(TrustError, match="cannot be decompressed as"):
        _plain(COMPRESS[compression](PLAIN) + rest, compression)


@pytest.mark.parametrize("compression", COMPRESS)
def test_several_streams_are_one_file(compression: str) -> None:
    packed = b"".join(COMPRESS[compression](PLAIN[at : at + 100]) for at in range(0, len(PLAIN), 100))
    assert _plain(packed, compression) == PLAIN
    with pytest.raises(TrustError, match="truncated"):
        _plain(packed[:-1], compression)


@pytest.mark.parametrize("compression", SUPPORTED)
def test_one_byte_more_than_the_limit_is_refused(compression: str) -> None:
    packed = COMPRESS.get(compression, bytes)(PLAIN)
    assert _plain(packed, compression, len(PLAIN)) == PLAIN
    message = f"^a mirror: expected the index to decompress to at most {len(PLAIN) - 1} bytes, found more$"
    with pytest.raises(TrustError, match=message):
        _plain(packed, compression, len(PLAIN) - 1)


@pytest.mark.parametrize("compression", COMPRESS)
def test_the_reader_gives_small_pieces(compression: str) -> None:
    with plain_stream(io.BytesIO(COMPRESS[compression](PLAIN)), compression, 9999, where="", what="it") as stream:
        assert b"".join(iter(lambda: stream.read(7), b"")) == PLAIN


def test_a_failure_of_the_disk_is_no_damage() -> None:
    class Failing(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise OSError(5, "Input/output error", str(size))

    with pytest.raises(OSError, match="Input/output"):
        plain_stream(Failing(), "bz2", 9, where="", what="it").read()


def test_the_limit_of_a_package_follows_its_size() -> None:
    assert package_limit(0) == 1 << 30
    assert package_limit(33_810_000) > 1986 << 20, "piglit, the package of Debian 12 that comes nearest"
