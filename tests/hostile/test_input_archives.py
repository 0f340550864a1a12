"""Packages that no one would make but to hurt: refused in one clear line, in bounded memory, on bounded disk."""

from __future__ import annotations

import bz2
import hashlib
import io
import lzma
import resource
import struct
import subprocess
import tarfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import zstandard
from provider.deb.hostile import CONTROL, ar, deb, entry, tar

from oic.chroot import namespace
from oic.errors import TrustError
from oic.process import child
from oic.provider.compression import decompressed
from oic.provider.deb.archive import entries_of, read_deb, tar_of
from oic.provider.deb.packages import PackagesIndex
from oic.provider.deb.unpack import Unpacked, unpack_all

if TYPE_CHECKING:
    from collections.abc import Callable

MEMORY = 256 << 20
"""What a child may take in addition to what it begins with."""
PACKERS: dict[str, Callable[[], Any]] = {
    "gz": lambda: zlib.compressobj(wbits=31),
    "xz": lzma.LZMACompressor,
    "bz2": bz2.BZ2Compressor,
    "zst": lambda: zstandard.ZstdCompressor().compressobj(),
}
END = bytes(1024)


def unpacked(place: Path, *packages: bytes) -> list[Unpacked]:
    """Unpack packages in a child whose memory is limited, as the stages do but for that."""
    root = place / "root"
    root.mkdir()
    files = []
    for number, data in enumerate(packages):
        file = place / f"{number}.deb"
        file.write_bytes(data)
        files.append((str(number), file))
    return namespace.call(_in_little_memory, files, root, writes=[place])


def _in_little_memory(files: list[tuple[str, Path]], root: Path) -> list[Unpacked]:
    there = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (there + MEMORY, there + MEMORY))
    return unpack_all(files, root, jobs=1)


def raw(name: str, kind: bytes, size: int = 0, *, mtime: int = 0) -> bytes:
    """Return a header alone, whatever it promises."""
    info = tarfile.TarInfo(name)
    info.type, info.size, info.mtime = kind, size, mtime
    return info.tobuf(tarfile.GNU_FORMAT)


def pax(content: bytes) -> bytes:
    return raw("pax", b"x", len(content)) + content.ljust(512, b"\0") + raw("./a", b"0") + END


def sparse(size: int) -> bytes:
    """Return GNU's old sparse file: nothing but one hole of this size."""
    header = bytearray(raw("./hole", b"S"))
    header[483:495] = struct.pack(">BBBBQ", 0x80, 0, 0, 0, size)
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header) + END


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (pax(b"14 mtime=nan\n\n"), "found b'x'"),
        (pax(b"14 mtime=inf\n\n"), "found b'x'"),
        (pax(b"22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n"), "found b'x'"),
        (sparse(1 << 30), "found b'S'"),
        (raw("./a", b"0", 1 << 70) + END, "expected the size of an entry"),
        (raw("./a", b"0", -5) + END, "expected the size of an entry"),
        (raw("./a", b"0", 1 << 34) + END, "unexpected end of data"),
        (raw("./a", b"5", mtime=1 << 70) + END, "expected a time between 1901 and 2106"),
        (raw("././@LongLink", b"L", 1 << 30) + END, "expected the size of an entry"),
        ((raw("././@LongLink", b"L", 2) + b"a".ljust(512, b"\0")) * 3000 + END, "damaged entry header"),
        (tar(entry("a/" * 2000 + "b", b"x")), "expected at most 200 directories in each other, found 2000"),
    ],
    ids=range(11),
)
def test_an_archive_that_dpkg_would_not_take_either_or_nobody_could(data: bytes, words: str, tmp_path: Path) -> None:
    with pytest.raises(TrustError) as raised:
        unpacked(tmp_path, deb(data))
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("kind", [b"x", b"S", b"g", b"V", b"Z"])
def test_dpkg_refuses_these_entries_too(kind: bytes, tmp_path: Path) -> None:
    """Otherwise the refusals above would be a difference to dpkg."""
    file, admin = tmp_path / "a.deb", tmp_path / "root/var/lib/dpkg"
    file.write_bytes(deb(raw("./a", kind) + END))
    for name in ("info", "updates", "triggers"):
        (admin / name).mkdir(parents=True)
    for name in ("status", "available"):
        (admin / name).touch()
    argv = ["dpkg", f"--root={tmp_path / 'root'}", "--force-all", "--unpack", str(file)]
    found = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert "tar header type" in found.stderr


@pytest.mark.parametrize(
    ("control", "words"),
    [
        (tar(entry("./control", CONTROL.partition(b"\n")[2])), "expected the field Package"),
        (tar(entry("./control", b" folded\n" + CONTROL)), "expected a field, found a continuation line first"),
        (tar(entry("./control", CONTROL.replace(b"all", b""))), "expected the field Architecture"),
        (tar(entry("./control", CONTROL), entry("..", b"x")), "expected control files of plain names, found '..'"),
        (tar(entry("./control", CONTROL), entry("./a\nb", b"x")), "expected control files of plain names"),
    ],
    ids=range(5),
)
def test_a_control_archive_that_says_nothing(control: bytes, words: str) -> None:
    with pytest.raises(TrustError) as raised:
        read_deb(io.BytesIO(deb(tar(), control=control)), "a.deb")
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)


def _bomb(compression: str, *, control: bool) -> bytes:
    """Return a package of zeros, 80 MiB or more than a gibibyte, made without ever holding them."""
    count = 80 if control else 1200
    header = raw("./control" if control else "./bomb", b"0", count << 20)
    packer = PACKERS[compression]()
    packed = packer.compress(header) + b"".join(packer.compress(bytes(1 << 20)) for _ in range(count)) + packer.flush()
    good = lzma.compress(tar(entry("./control", CONTROL)))
    if control:
        return ar({"debian-binary": b"2.0\n", f"control.tar.{compression}": packed, "data.tar.xz": good})
    return ar({"debian-binary": b"2.0\n", "control.tar.xz": good, f"data.tar.{compression}": packed})


@pytest.mark.parametrize("compression", ["gz", "xz", "zst"])
def test_a_control_archive_that_is_a_bomb(compression: str, tmp_path: Path) -> None:
    with pytest.raises(TrustError, match="to decompress to at most 67108864 bytes, found more"):
        unpacked(tmp_path, _bomb(compression, control=True))


def test_a_package_that_is_a_bomb(tmp_path: Path) -> None:
    bomb = _bomb("zst", control=False)
    assert len(bomb) < 1 << 20
    with pytest.raises(TrustError, match=r"to decompress to at most 1\d{9} bytes, found more"):
        unpacked(tmp_path, bomb)


def test_a_large_file_without_md5sums_is_hashed_as_it_is_written(tmp_path: Path) -> None:
    content = bytes(MEMORY + (64 << 20))
    found = unpacked(tmp_path, deb(tar(entry("./large", content)), compression=""))
    md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
    assert found[0].control["md5sums"].content == f"{md5}  large\n".encode()


def test_a_dictionary_of_gibibytes_is_not_made_room_for() -> None:
    filters = [{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 20}]
    data = _with_dictionary(lzma.compress(tar(entry("./control", CONTROL)), format=lzma.FORMAT_RAW, filters=filters))
    with pytest.raises(TrustError, match="Memory usage limit"):
        read_deb(io.BytesIO(ar({"debian-binary": b"2.0\n", "control.tar.xz": data, "data.tar": END})), "a.deb")


def _with_dictionary(content: bytes) -> bytes:
    """Return an xz file, as its specification has it, that says it needs a dictionary of 3 GiB."""
    flags = b"\0\1"
    head = b"\xfd7zXZ\0" + flags + struct.pack("<I", zlib.crc32(flags))
    block = b"\x02\x00\x21\x01\x27\x00\x00\x00"  # LZMA2, property 39: 3 GiB
    return head + block + struct.pack("<I", zlib.crc32(block)) + content


def test_more_files_than_any_package_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("oic.provider.deb.archive._MAX_ENTRIES", 3)
    file = io.BytesIO(deb(tar(*(entry(f"./{number}") for number in range(5)))))
    found = read_deb(file, "a.deb")
    with tar_of(file, found.data, "a.deb") as opened, pytest.raises(TrustError, match="at most 3 files, found more"):
        assert [info.name for info in entries_of(opened, "a.deb")]


def test_no_entry_is_kept_once_it_was_looked_at() -> None:
    file = io.BytesIO(deb(tar(*(entry(f"./{number}") for number in range(5)))))
    found = read_deb(file, "a.deb")
    with tar_of(file, found.data, "a.deb") as opened:
        kept = [len(opened.members) for _ in entries_of(opened, "a.deb")]  # type: ignore[attr-defined]
    assert max(kept) == 1


@pytest.mark.parametrize("compression", ["gz", "xz", "bz2", "zst"])
def test_an_index_that_is_a_bomb_takes_little_memory(compression: str) -> None:
    assert "found more" in child.call_all([(_index_bomb, (compression,))])[0]


def _index_bomb(compression: str) -> str:
    packer = PACKERS[compression]()
    packed = b"".join(packer.compress(bytes(1 << 20)) for _ in range(512)) + packer.flush()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        decompressed(packed, compression, 1 << 20, where="index")
    except TrustError as error:
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 << 10
        return str(error)
    return ""


STANZA = b"""Package: third
Version: 1
Architecture: all
%sFilename: pool/a.deb
Size: 1
SHA256: 0000000000000000000000000000000000000000000000000000000000000000

"""


@pytest.mark.parametrize(
    ("again", "words"),
    [
        (b"Package: asked\n", "main: expected a stanza with one Package field, found 'third' and 'asked'"),
        (b"package: asked\n", "main: expected a stanza with one Package field, found 'third' and 'asked'"),
        (b"Version: 2\n", "main: third: expected the field 'Version' once, found it again"),
        (b"Provides: a\nProvides: b\n", "main: third: expected the field 'Provides' once, found it again"),
    ],
)
def test_a_package_that_says_two_things_of_itself(again: bytes, words: str) -> None:
    """It was noted by its first name and known by its last: asked for, it silently was not in the set."""
    with pytest.raises(TrustError, match=words):
        _packages(STANZA % again)


def _packages(data: bytes) -> list[str]:
    index = PackagesIndex("main", "amd64")
    index.add(data)
    return [package.name for package in index.packages("third")]
