"""Payloads: what comes out is what rpm's own tools take out, and one that is not as its header says is refused."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import lzma
import struct
import subprocess
import tarfile
import tracemalloc
from typing import TYPE_CHECKING

import pytest
import zstandard

from oic.errors import TrustError
from oic.provider.compression import plain_stream
from oic.provider.rpm.contents import plain_payload
from oic.provider.rpm.header import read_rpm
from oic.provider.rpm.package import files_of
from oic.provider.rpm.payload import members_of
from oic.provider.rpm.tags import Tag

from .made import PAYLOADS, Made
from .surgery import TRAILER, Parts, cpio_entry, cpio_numbered, numbers, one, package, text

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

DIRECTORY, LINK, FIFO, FILE = 0o040755, 0o120777, 0o010644, 0o100644
INSTALL = """\
cd %{buildroot}; mkdir -p usr/d/deep usr/share/é; echo one >usr/d/z; ln usr/d/z usr/d/a; ln usr/d/z usr/d/deep/m
ln -s ../nowhere usr/d/link; : >usr/d/empty; head -c 3000000 /dev/urandom >usr/d/large; mkfifo usr/d/pipe
: >usr/d/ghost; echo x >usr/d/"two words"; chmod 0 usr/d/empty
"""
FILES = "/usr/d\n/usr/share/é\n%ghost /usr/d/ghost"


def contents(data: bytes) -> dict[str, bytes]:
    """Return the content of each name that a package's payload has."""
    file = io.BytesIO(data)
    rpm = read_rpm(file, "a package")
    plain = plain_payload(file, rpm)
    found: dict[str, bytes] = {}
    for member in members_of(plain, files_of(rpm.header), "a package"):
        whole = b"".join(member.chunks())
        found.update(dict.fromkeys((name.path for name in member.names), whole))
    return found


def _archived(file: Path) -> dict[str, bytes]:
    """Return the same from the tar that rpm2archive makes of it."""
    subprocess.run(["rpm2archive", str(file)], check=True)
    found = {}
    with tarfile.open(f"{file}.tgz") as tar:
        for entry in tar:
            reader = tar.extractfile(entry) if entry.isreg() or entry.islnk() else None
            found[entry.name.removeprefix(".").rstrip("/")] = reader.read() if reader else entry.linkname.encode()
    return found


@pytest.mark.parametrize("compressor", PAYLOADS)
def test_the_content_is_what_rpm2archive_extracts(compressor: str, tmp_path: Path) -> None:
    made = Made(install=INSTALL, files=FILES, payload=PAYLOADS[compressor], define={"_utf8": "1"}).make(tmp_path)
    ours = contents(made.read_bytes())
    assert ours["/usr/d/deep/m"] == ours["/usr/d/a"] == b"one\n"
    assert ours == _archived(made)


def test_a_package_of_nothing(tmp_path: Path) -> None:
    assert contents(Made(install="true", files="").make(tmp_path).read_bytes()) == {}


FOUR = (
    ("/usr/d", b"", DIRECTORY),
    ("/usr/d/file", b"content", FILE),
    ("/usr/d/link", b"file", LINK),
    ("/usr/d/pipe", b"", FIFO),
)


def test_entries_of_rpm_s_own_format_refer_to_files_by_number() -> None:
    plain = cpio_numbered(1, b"content") + cpio_numbered(0) + cpio_numbered(3) + cpio_numbered(2, b"file") + TRAILER
    expected = {"/usr/d": b"", "/usr/d/file": b"content", "/usr/d/link": b"file", "/usr/d/pipe": b""}
    assert contents(package(*FOUR, payload=plain).bytes()) == contents(package(*FOUR).bytes()) == expected


@pytest.mark.slow
def test_a_file_of_more_than_four_gibibytes(tmp_path: Path) -> None:
    """The form above as rpmbuild itself makes it."""
    install = "mkdir -p %{buildroot}/usr; truncate -s 4300000000 %{buildroot}/usr/huge; echo x >%{buildroot}/usr/small"
    made = Made(install=install, files="/usr/huge\n/usr/small", payload="w1.zstdio").make(tmp_path)
    file = io.BytesIO(made.read_bytes())
    rpm = read_rpm(file, "huge")
    file.seek(rpm.payload_offset)
    plain = plain_stream(file, "zst", 1 << 33, where="huge", what="the payload")
    sizes = {}
    for member in members_of(plain, files_of(rpm.header), "huge"):
        sizes[member.file.path] = sum(map(len, member.chunks()))
    assert sizes == {"/usr/huge": 4_300_000_000, "/usr/small": 2}


@pytest.mark.parametrize("name", ["./usr/a", "/usr/a", "usr/a"])
def test_names_may_be_written_in_three_ways(name: str) -> None:
    plain = cpio_entry(name, b"x") + TRAILER
    assert contents(package(("/usr/a", b"x", FILE), payload=plain).bytes()) == {"/usr/a": b"x"}


def test_blocks_may_be_padded() -> None:
    plain = cpio_entry("./usr/a", b"x") + TRAILER
    assert contents(package(("/usr/a", b"x", FILE), payload=plain + bytes(-len(plain) % 512)).bytes())


def test_cpio_archives_with_checksums_are_read() -> None:
    plain = (cpio_entry("./usr/a", b"x") + TRAILER).replace(b"070701", b"070702")
    assert contents(package(("/usr/a", b"x", FILE), payload=plain).bytes()) == {"/usr/a": b"x"}


def _of(*entries: bytes, end: bytes = TRAILER) -> Callable[[], Parts]:
    return lambda: package(("/usr/a", b"abc", FILE), ("/usr/b", b"", FILE), payload=b"".join(entries) + end)


A, B = cpio_entry("./usr/a", b"abc"), cpio_entry("./usr/b")
A_CHANGED = cpio_entry("./usr/a", b"abc").replace(b"070701" + b"0" * 7 + b"1", b"070701" + b"0" * 7 + b"g")
REFUSED: dict[str, tuple[Callable[[], Parts], str]] = {
    "empty": (_of(end=b""), "expected the rest of the payload, found its end"),
    "no trailer": (_of(A, B, end=b""), "expected the rest of the payload, found its end"),
    "cut in a name": (_of(A[:115], end=b""), "expected the rest of the payload, found its end"),
    "cut in the content": (_of(A[:-3], end=b""), "expected the rest of the payload, found its end"),
    "one missing": (_of(A), "expected 1 more files in the payload, '/usr/b' for one"),
    "all missing": (_of(), "expected 2 more files in the payload"),
    "twice": (_of(A, A, B), "a file of the header in the payload, each once, found './usr/a'"),
    "unknown": (_of(A, B, cpio_entry("./usr/c")), "a file of the header in the payload, each once, found './usr/c'"),
    "dots": (_of(cpio_entry("./usr/../../outside")), "a path below the root, found './usr/../../outside'"),
    "leading dots": (_of(cpio_entry("../a")), "a path below the root, found '../a'"),
    "absolute": (_of(cpio_entry("/etc/shadow")), "a file of the header in the payload, each once"),
    "two lines": (_of(cpio_entry("./usr/a\nb")), "found './usr/a\\nb'"),
    "zero inside": (_of(cpio_entry(b"./usr/a\0/../b")), "a name that ends in a zero"),
    "no zero": (_of(A.replace(b"./usr/a\0", b"./usr/aa")), "a name that ends in a zero"),
    "no name": (_of(cpio_entry(b"")), "expected a name in the payload, found one of 1 bytes"),
    "long name": (_of(cpio_entry(b"./" + b"n" * 5000)), "expected a name in the payload, found one of 5003 bytes"),
    "device": (_of(cpio_entry("./usr/a", mode=0o020666)), "mode 100644 of '/usr/a' in the payload, found 20666"),
    "other mode": (_of(cpio_entry("./usr/a", b"abc", 0o104755)), "expected mode 100644 of '/usr/a'"),
    "other type": (_of(cpio_entry("./usr/a", b"abc", LINK)), "expected mode 100644 of '/usr/a'"),
    "larger": (_of(cpio_entry("./usr/a", b"abcd")), "expected 3 bytes of '/usr/a', as the header says, found 4"),
    "smaller": (_of(cpio_entry("./usr/a", b"ab")), "expected 3 bytes of '/usr/a', as the header says, found 2"),
    "huge": (_of(cpio_entry("./usr/a", b"abc", size=0xFFFFFFFF)), "as the header says, found 4294967295"),
    "not a number": (_of(A_CHANGED), "expected a number at byte 6 of the payload"),
    "sign": (_of(A.replace(b"00000003", b"0000  +3")), "expected a number at byte"),
    "underscore": (_of(A.replace(b"00000003", b"0000_003")), "expected a number at byte"),
    "old cpio": (_of(b"070707" + b"0" * 70), "expected a cpio entry at byte 0 of the payload, found b'070707'"),
    "garbage": (_of(b"!" * 999), "expected a cpio entry at byte 0"),
    "name padding": (_of(cpio_entry("./usr/aa").replace(b"aa\0\0", b"aa\0!")), "expected zeros before byte"),
    "content padding": (_of(A[:-1] + b"!"), "expected zeros before byte"),
    "after the trailer": (_of(A, B, end=TRAILER + A), "expected the end of the payload after its trailer"),
    "zeros without end": (_of(A, B, end=TRAILER + bytes(9999)), "expected the end of the payload after its trailer"),
    "number too large": (_of(cpio_numbered(2)), "a file of the header in the payload, each once, found number 2"),
    "number twice": (_of(cpio_numbered(1), cpio_numbered(1)), "found number 1"),
    "number of a ghost": (
        lambda: _ghostly(package(("/usr/a", b"abc", FILE), payload=cpio_numbered(0, b"abc") + TRAILER)),
        "found number 0",
    ),
    "a ghost": (lambda: _ghostly(package(("/usr/a", b"abc", FILE))), "each once, found './usr/a'"),
    "content before the last name": (
        lambda: _linked(cpio_entry("./usr/a", b"abc") + cpio_entry("./usr/b", b"abc") + TRAILER),
        "expected 0 bytes of '/usr/a', as the header says, found 3",
    ),
    "no content with the last name": (
        lambda: _linked(cpio_entry("./usr/a") + cpio_entry("./usr/b") + TRAILER),
        "expected 3 bytes of '/usr/b', as the header says, found 0",
    ),
    "names of one file that differ": (
        lambda: _with_digests(_linked(cpio_entry("./usr/a") + cpio_entry("./usr/b", b"abc") + TRAILER), b"abd", b"abc"),
        "expected one content of all names of a file in the header, found another of '/usr/b'",
    ),
}


def _with_digests(parts: Parts, *contents_told: bytes) -> Parts:
    parts.header[Tag.FILE_DIGESTS] = text(*(hashlib.sha256(told).hexdigest() for told in contents_told))
    return parts


def _ghostly(parts: Parts) -> Parts:
    parts.header[Tag.FILE_FLAGS] = numbers(1 << 6)
    return parts


def _linked(plain: bytes) -> Parts:
    parts = package(("/usr/a", b"abc", FILE), ("/usr/b", b"abc", FILE), payload=plain)
    parts.header[Tag.FILE_INODES] = numbers(1, 1)
    return parts


@pytest.mark.parametrize("case", REFUSED)
def test_refuses_a_payload_that_is_not_what_its_header_says(case: str) -> None:
    make, words = REFUSED[case]
    with pytest.raises(TrustError) as raised:
        contents(make().bytes())
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)


def test_the_last_name_of_a_file_brings_its_content() -> None:
    plain = cpio_entry("./usr/b") + cpio_entry("./usr/a", b"abc") + TRAILER
    assert contents(_linked(plain).bytes()) == {"/usr/a": b"abc", "/usr/b": b"abc"}


COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "lzma": lambda data: lzma.compress(data, lzma.FORMAT_ALONE),
    "zstd": zstandard.ZstdCompressor().compress,
    "none": bytes,
}


def _packed(compressor: str, data: bytes) -> bytes:
    parts = package(("/usr/a", b"abc", FILE))
    if compressor == "none":
        del parts.header[Tag.PAYLOAD_COMPRESSOR]
    else:
        parts.header[Tag.PAYLOAD_COMPRESSOR] = one(compressor)
    parts.payload = data
    return parts.bytes()


PLAIN = A + TRAILER


@pytest.mark.parametrize("compressor", COMPRESS)
def test_a_damaged_or_shortened_stream_is_refused(compressor: str) -> None:
    whole = COMPRESS[compressor](PLAIN)
    assert contents(_packed(compressor, whole)) == {"/usr/a": b"abc"}
    for data in (b"", whole[: len(whole) // 2], b"\xff" * 40 + whole, whole[:12] + b"\xee" * 30 + whole[42:]):
        with pytest.raises(TrustError):
            contents(_packed(compressor, data))


@pytest.mark.parametrize("compressor", ["gzip", "bzip2", "xz", "zstd"])
def test_a_payload_in_several_streams(compressor: str) -> None:
    whole = b"".join(COMPRESS[compressor](PLAIN[at : at + 50]) for at in range(0, len(PLAIN), 50))
    assert contents(_packed(compressor, whole)) == {"/usr/a": b"abc"}


@pytest.mark.parametrize("compressor", ["gzip", "bzip2", "xz", "zstd"])
@pytest.mark.parametrize("place", ["in a file", "after the trailer"])
def test_a_decompression_bomb_is_refused_early(compressor: str, place: str) -> None:
    zeros = bytes(64 << 20)
    plain = A[:-4] + zeros if place == "in a file" else PLAIN + zeros
    data = _packed(compressor, COMPRESS[compressor](plain))
    del zeros, plain
    tracemalloc.start()
    with pytest.raises(TrustError):
        contents(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20 << 20


def test_a_stream_that_needs_too_much_memory_is_refused() -> None:
    filters = [{"id": lzma.FILTER_LZMA1, "dict_size": 1 << 20}]
    whole = bytearray(lzma.compress(PLAIN, lzma.FORMAT_ALONE, filters=filters))
    whole[1:5] = struct.pack("<I", 0x60000000)  # the dictionary it says it needs
    with pytest.raises(TrustError, match="cannot be decompressed as "):
        contents(_packed("lzma", bytes(whole)))
    parameters = zstandard.ZstdCompressionParameters(window_log=30, compression_level=1)
    stream = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    data = stream.compress(PLAIN) + stream.flush()
    with zstandard.ZstdDecompressor(max_window_size=1 << 30).stream_reader(data) as reader:
        assert reader.read() == PLAIN, "its window is all that is wrong with it"
    with pytest.raises(TrustError, match="cannot be decompressed as "):
        contents(_packed("zstd", data))


def test_an_unknown_compressor_is_refused() -> None:
    with pytest.raises(TrustError, match=r"expected a payload of gzip, .*, found 'compress'"):
        contents(_packed("compress", PLAIN))


def test_a_compressor_that_the_header_does_not_name_is_recognised() -> None:
    parts = package(("/usr/a", b"abc", FILE))
    del parts.header[Tag.PAYLOAD_COMPRESSOR]
    assert contents(parts.bytes()) == {"/usr/a": b"abc"}
    parts.payload = PLAIN
    assert contents(parts.bytes()) == {"/usr/a": b"abc"}
