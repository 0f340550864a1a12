"""Headers: what is read of a package is what rpm reads of it, and a header with anything wrong is refused."""

from __future__ import annotations

import io
import struct
from functools import cache
from typing import TYPE_CHECKING

import pytest

from oic.errors import TrustError
from oic.provider.rpm.header import Rpm, read_rpm
from oic.provider.rpm.package import files_of, nevra_of
from oic.provider.rpm.tags import Sig, Tag

from .made import Made, header_of
from .surgery import INT32, STRING, Value, binary, header_bytes, numbers, one, package, parts_of, text

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .surgery import Parts

INSTALL = """\
cd %{buildroot}; mkdir -p usr/bin etc usr/share/é var/cache/dir; echo one >usr/bin/one; ln usr/bin/one usr/bin/two
ln -s ../bin/one usr/share/é/link; echo conf >etc/small.conf; : >etc/ghost; chmod 4755 usr/bin/one; mkfifo var/pipe
"""
FILES = """\
/usr/bin/*
%attr(0640,daemon,mail) %config(noreplace) /etc/small.conf
%ghost /etc/ghost
/usr/share/é
/var/pipe
%dir %attr(1777,root,root) /var/cache/dir
"""
SCRIPTS = """\
%post
echo installed
%posttrans -p <lua>
print("done")
%postun -p /sbin/ldconfig
"""


def rpm_of(data: bytes) -> Rpm:
    return read_rpm(io.BytesIO(data), "a package")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("header")
    return Made(epoch=3, install=INSTALL, files=FILES, scripts=SCRIPTS, define={"_utf8": "1"}).make(place)


def test_the_files_are_those_that_rpm_reads(made: Path) -> None:
    query = (
        "[%{FILENAMES}\t%{FILEMODES}\t%{FILESIZES}\t%{FILEMTIMES}\t%{FILELINKTOS}\t%{FILEDIGESTS}\t%{FILEFLAGS}"
        "\t%{FILEUSERNAME}\t%{FILEGROUPNAME}\t%{FILEDEVICES}\t%{FILEINODES}\n]"
    )
    ours = [
        (f.path, f.mode, f.size, f.mtime, f.link, f.digest, f.flags, f.user, f.group, f.device, f.inode)
        for f in files_of(rpm_of(made.read_bytes()).header)
    ]
    assert ["\t".join(map(str, row)) for row in ours] == header_of(made, query).splitlines()
    assert [file.path for file in files_of(rpm_of(made.read_bytes()).header) if file.ghost] == ["/etc/ghost"]


def test_name_and_scripts_are_those_that_rpm_reads(made: Path) -> None:
    header = rpm_of(made.read_bytes()).header
    nevra = nevra_of(header)
    assert f"{nevra.name} {nevra.version} {nevra.architecture}" == header_of(
        made, "%{NAME} %{EPOCH}:%{VERSION}-%{RELEASE} %{ARCH}"
    )
    assert header.string(Tag.POSTIN) == header_of(made, "%{POSTIN}")
    assert header.number(Tag.BUILD_TIME, 0) == int(header_of(made, "%{BUILDTIME}"))


def test_an_epoch_of_zero_is_left_out() -> None:
    parts = package()
    assert nevra_of(rpm_of(parts.bytes()).header).version == "1.0-1"
    parts.header[Tag.EPOCH] = numbers(0)
    assert nevra_of(rpm_of(parts.bytes()).header).version == "1.0-1"


def test_a_key_file_split_and_joined_is_unchanged(made: Path) -> None:
    """Otherwise the refusals below would say little."""
    again = parts_of(made.read_bytes()).bytes()
    assert rpm_of(again).header.signed == rpm_of(made.read_bytes()).header.signed


def _with(change: Callable[[Parts], object]) -> bytes:
    parts = package(("/usr/a", b"x", 0o100644))
    change(parts)
    return parts.bytes()


def _value(tag: int, value: Value) -> bytes:
    return _with(lambda parts: parts.header.update({tag: value}))


@cache
def _good() -> bytes:
    return package(("/usr/a", b"x", 0o100644)).bytes()


def _patched(at: int, data: bytes) -> bytes:
    """Return the package with bytes of its main header replaced, counted from that header's begin."""
    start = rpm_of(_good()).header_offset + at
    return _good()[:start] + data + _good()[start + len(data) :]


def _row(number: int, *values: int) -> bytes:
    """Return the package with an index entry replaced; 0 is the region's."""
    return _patched(16 + 16 * number, struct.pack(">IIiI", *values))


def _trailer(*values: int) -> bytes:
    rpm = rpm_of(_good())
    return _patched(len(rpm.header.signed) - 16, struct.pack(">IIiI", *values))


LONG = Value(kind=5, count=1, data=b"\x80" + bytes(7))
REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "nothing": (lambda: b"", "begin with ed ab ee db"),
    "deb": (lambda: b"!<arch>\n" * 99, "begin with ed ab ee db"),
    "cut in the lead": (lambda: _good()[:50], "cut off in its lead"),
    "source lead": (lambda: _good()[:7] + b"\1" + _good()[8:], "expected a binary package's lead"),
    "source package": (lambda: _value(Tag.SOURCE_PACKAGE, numbers(1)), "found a source package"),
    "version 6": (lambda: _good()[:4] + b"\6" + _good()[5:], "found version 6"),
    "no signature header": (lambda: _good()[:96], "expected the signature header at byte 96"),
    "no header": (lambda: _good()[: rpm_of(_good()).header_offset], "expected the header at byte"),
    "cut in the header": (lambda: _good()[: rpm_of(_good()).header_offset + 99], "file cut off"),
    "no tags": (lambda: _patched(8, bytes(4)), "sane size"),
    "many tags": (lambda: _patched(8, b"\xff" * 4), "sane size"),
    "much data": (lambda: _patched(12, b"\x7f" * 4), "sane size"),
    "more tags than there are": (lambda: _patched(8, b"\0\0\xff\0"), "file cut off"),
    "another size": (lambda: _good() + b"\0", "bytes of header and payload"),
    "type 0": (lambda: _value(5000, Value(kind=0, count=1, data=b"\0")), "tag 5000 has type 0"),
    "type 10": (lambda: _value(5000, Value(kind=10, count=1, data=b"\0")), "tag 5000 has type 10"),
    "low tag": (lambda: _value(99, one("x")), "tag 99 has type"),
    "no values": (lambda: _value(5000, Value(kind=INT32, count=0, data=b"")), "tag 5000 has type 4 and 0"),
    "two in a string": (lambda: _value(5000, Value(kind=STRING, count=2, data=b"a\0b\0")), "one string, with 2"),
    "endless string": (lambda: _value(9000, Value(kind=STRING, count=1, data=b"a" * 9)), "fewer than 1 strings"),
    "few strings": (lambda: _value(9000, Value(kind=8, count=3, data=b"a\0b\0")), "fewer than 3 strings"),
    "few numbers": (lambda: _value(9000, Value(kind=INT32, count=9, data=b"a" * 4)), "ends at"),
    "most numbers": (lambda: _value(9000, Value(kind=5, count=0xFFFFFFFF, data=b"a" * 8)), "and 4294967295 values"),
    "most strings": (
        lambda: _value(9000, Value(kind=8, count=1 << 20, data=bytes(1 << 20))),
        "tag 9000 has type 8 and 1048576 values",
    ),
    "time of 64 bits": (lambda: _value(Tag.FILE_MTIMES, LONG), "another type in tag 1034, found type 5"),
    "mode of 64 bits": (lambda: _value(Tag.FILE_MODES, LONG), "another type in tag 1030, found type 5"),
    "epoch of 64 bits": (lambda: _value(Tag.EPOCH, LONG), "another type in tag 1003, found type 5"),
    "region missing": (lambda: _row(0, 1000, 6, 0, 1), "expected region tag 63 first"),
    "another region": (lambda: _row(0, 62, 7, 0, 16), "expected region tag 63 first"),
    "trailer far": (lambda: _row(0, 63, 7, 0x7FFFFFF0, 16), "is outside of"),
    "trailer before": (lambda: _row(0, 63, 7, -16, 16), "is outside of"),
    "no trailer": (lambda: _trailer(1, 2, 3, 4), "expected a trailer of region 63"),
    "trailer of fewer": (lambda: _trailer(63, 7, -32, 16), "expected all of it in its region, found 2 of"),
    "trailer of more": (lambda: _trailer(63, 7, -16 * 999, 16), "bytes of index"),
    "trailer uneven": (lambda: _trailer(63, 7, -33, 16), "bytes of index"),
    "trailer forwards": (lambda: _trailer(63, 7, 32, 16), "bytes of index"),
    "overlap": (lambda: _row(2, 1001, 6, 1, 1), "tag 1000 has fewer than 1 strings"),
    "before the store": (lambda: _row(2, 1001, 6, -8, 1), "overlaps another"),
    "behind the store": (lambda: _row(2, 1001, 6, 0x7FFFFFFF, 1), "overlaps another"),
    "twice": (lambda: _row(2, 1000, 6, 5, 1), "tag 1000 occurs twice"),
    "not aligned": (lambda: _row(4, 1006, 4, 14, 1), "is not aligned"),
    "number for a name": (lambda: _value(Tag.NAME, numbers(1)), "expected another type in tag 1000"),
    "two names": (lambda: _value(Tag.NAME, text("a", "b")), "expected one string in tag 1000, found 2"),
    "two epochs": (lambda: _value(Tag.EPOCH, numbers(1, 2)), "expected one number in tag 1003, found 2"),
    "sizes of fewer": (lambda: _value(Tag.FILE_SIZES, numbers(1, 2)), "the size of 1 files in the header, found 2"),
    "no modes": (lambda: _with(lambda parts: parts.header.pop(Tag.FILE_MODES)), "the mode of 1 files"),
    "no directory": (lambda: _value(Tag.DIRECTORY_INDEXES, numbers(1)), "a directory for each file"),
    "relative": (lambda: _value(Tag.DIRECTORY_NAMES, text("usr/")), "absolute directory in the header, found 'usr/'"),
    "no slash": (lambda: _value(Tag.DIRECTORY_NAMES, text("/usr")), "absolute directory in the header"),
    "dots": (lambda: _value(Tag.DIRECTORY_NAMES, text("/usr/../")), "a path below the root, found '/usr/../a'"),
    "dots in a name": (lambda: _value(Tag.BASE_NAMES, text("..")), "a path below the root, found '/usr/..'"),
    "slash in a name": (lambda: _value(Tag.BASE_NAMES, text("../a")), "a path below the root"),
    "empty part": (lambda: _value(Tag.DIRECTORY_NAMES, text("/usr//")), "a path below the root"),
    "no name": (lambda: _value(Tag.BASE_NAMES, text("")), "a path below the root"),
    "two lines": (lambda: _value(Tag.BASE_NAMES, text("a\nb")), "a path below the root, found '/usr/a\\nb'"),
    "escape": (lambda: _value(Tag.BASE_NAMES, text("a\x1b[2J")), "a path below the root, found '/usr/a\\x1b[2J'"),
    "long name": (lambda: _value(Tag.BASE_NAMES, text("n" * 256)), "a path that a file system can hold"),
    "long directory": (lambda: _value(Tag.DIRECTORY_NAMES, text("/" + "n" * 256 + "/")), "a file system can hold"),
    "long path": (lambda: _value(Tag.DIRECTORY_NAMES, text("/" + ("n" * 99 + "/") * 41)), "a file system can hold"),
    "deep path": (lambda: _value(Tag.DIRECTORY_NAMES, text("/" + "n/" * 1000)), "a file system can hold"),
    "long link": (
        lambda: package(("/usr/l", b"a/../" * 1000, 0o120777)).bytes(),
        "a link's target of 4095 bytes at most, found more, '/usr/l'",
    ),
    "path twice": (
        lambda: package(("/usr/a", b"x", 0o100644), ("/usr/a", b"x", 0o100644)).bytes(),
        "each path once in the header, found '/usr/a' twice",
    ),
    "character device": (lambda: package(("/dev/mem", b"", 0o020600)).bytes(), "found a device node, '/dev/mem'"),
    "block device": (lambda: package(("/dev/sda", b"", 0o060600)).bytes(), "found a device node, '/dev/sda'"),
    "socket": (lambda: package(("/run/s", b"", 0o140600)).bytes(), "a file of a known type, found '/run/s'"),
    "link to nothing": (lambda: package(("/usr/l", b"", 0o120777)).bytes(), "a target with a link"),
    "file with a target": (lambda: _value(Tag.FILE_LINKS, text("b")), "a target with a link"),
    "md5 files": (
        lambda: _with(lambda parts: parts.header.pop(Tag.FILE_DIGEST_ALGORITHM)),
        "file digests of sha256 or sha384 or sha512, found md5",
    ),
    "sha1 files": (lambda: _value(Tag.FILE_DIGEST_ALGORITHM, numbers(2)), "found sha1"),
    "unknown files": (lambda: _value(Tag.FILE_DIGEST_ALGORITHM, numbers(77)), "found algorithm 77"),
}


def _read_all(data: bytes) -> None:
    header = rpm_of(data).header
    nevra_of(header)
    files_of(header)


@pytest.mark.parametrize("case", REFUSED)
def test_refuses_a_damaged_header(case: str) -> None:
    make, words = REFUSED[case]
    with pytest.raises(TrustError) as raised:
        _read_all(make())
    assert str(raised.value).startswith("a package: ")
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)


def test_the_undamaged_package_is_accepted() -> None:
    _read_all(_good())


def test_bytes_between_the_headers_must_be_zero() -> None:
    at = rpm_of(_good()).header_offset
    for length in range(1, 9):  # one of them leaves a gap
        parts = package()
        parts.signature[5000] = binary(bytes(length))
        data = bytearray(parts.bytes())
        at = rpm_of(bytes(data)).header_offset
        gap = -len(header_bytes(Sig.REGION, parts.signature)) % 8
        if gap:
            data[at - 1] = 1
            with pytest.raises(TrustError, match="expected zeros after the signature header"):
                rpm_of(bytes(data))


def test_the_signature_header_may_have_entries_outside_its_region() -> None:
    parts = package()
    parts.digests = False
    region = header_bytes(Sig.REGION, {Sig.SHA256: one("0" * 64)})
    count, length = struct.unpack_from(">II", region, 8)
    index, store = region[16 : 16 + 16 * count], region[16 + 16 * count :]
    index += struct.pack(">IIiI", Sig.RSA, 7, length, 4)
    signature = region[:8] + struct.pack(">II", count + 1, length + 4) + index + store + b"\1\2\3\4"
    data = parts.lead + signature + bytes(-len(signature) % 8) + parts.header_bytes() + parts.payload
    assert rpm_of(data).signature.binary(Sig.RSA) == b"\1\2\3\4"
