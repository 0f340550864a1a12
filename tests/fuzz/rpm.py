"""The rpm family: packages, repository metadata, mirror lists, dependencies, versions."""

from __future__ import annotations

import base64
import contextlib
import io
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from provider.rpm.repodata import data_of, documents_of, repomd_of
from provider.rpm.surgery import TRAILER, Parts, binary, cpio_entry, cpio_numbered, header_bytes, one, package

from fuzz.harness import Harness
from fuzz.locks import expect_readable
from oic.errors import TrustError
from oic.provider.keyfile import without_version_6
from oic.provider.rpm.contents import check_contents
from oic.provider.rpm.header import Rpm, read_rpm
from oic.provider.rpm.markup import refuse_markup
from oic.provider.rpm.mirrors import bases_of
from oic.provider.rpm.package import files_of, nevra_of
from oic.provider.rpm.packages import PackageSource
from oic.provider.rpm.payload import members_of
from oic.provider.rpm.placement import placement_of
from oic.provider.rpm.pool import Packages
from oic.provider.rpm.repomd import check_age, parse_repomd
from oic.provider.rpm.rich import satisfying
from oic.provider.rpm.signature import signatures_of
from oic.provider.rpm.solve import _solve_set
from oic.provider.rpm.tags import Sig, Tag
from oic.provider.rpm.verify import _check_header, _check_name, _check_payload
from oic.provider.rpm.version import evrcmp

WHERE = "a package"
URL = "https://mirror.invalid/rpm"
EXPECTED: Any = SimpleNamespace(name="made", version="1.0-1", architecture="noarch")
NOW = datetime(2026, 11, 1, tzinfo=UTC)
FILES = (
    ("/usr/d", b"", 0o040755),
    ("/usr/d/file", b"content", 0o100644),
    ("/usr/d/link", b"file", 0o120777),
    ("/usr/d/pipe", b"", 0o010600),
)
PACKAGES: list[Any] = [
    {"nevra": "app-1:2.0-3", "requires": ["libc.so.6()(64bit)", "tool >= 1", "(extra if tool)"], "pre": ["users"]},
    {"nevra": "libc-2-1", "provides": ["libc.so.6()(64bit)"], "files": ["/usr/bin/ld"], "requires": ["/usr/lib/x"]},
    {"nevra": "tool-1-1", "recommends": ["extra"], "conflicts": ["bad < 2"], "obsoletes": ["old"]},
]


def _looked_at(rpm: Rpm, file: io.BytesIO) -> None:
    signatures_of(rpm.signature)
    nevra_of(rpm.header)
    _check_files(rpm)
    _check_name(rpm, EXPECTED, WHERE)
    _check_header(rpm, WHERE)
    _check_payload(file, rpm, WHERE)
    check_contents(file, rpm)


def _check_files(rpm: Rpm) -> None:
    places = placement_of([("a", files_of(rpm.header))])
    for path in (*places.directories, *places.places[0].values()):
        assert path == "/" or (path.startswith("/") and not {"", ".", ".."} & set(path[1:].split("/"))), path


def _read_package(data: bytes) -> None:
    file = io.BytesIO(data)
    _looked_at(read_rpm(file, WHERE), file)


_EMPTY_SIGNATURE = header_bytes(Sig.REGION, {})
_LEAD = package().lead


def _read_header(data: bytes) -> None:
    """Read a main header and a payload, behind a lead and a signature header that say nothing of them."""
    file = io.BytesIO(_LEAD + _EMPTY_SIGNATURE + bytes(-len(_EMPTY_SIGNATURE) % 8) + data)
    rpm = read_rpm(file, WHERE)
    nevra_of(rpm.header)
    for tag in Tag:
        for read in (rpm.header.strings, rpm.header.numbers, rpm.header.binary):
            _try(read, tag)
    _check_files(rpm)
    check_contents(file, rpm)


def _try(read: Any, tag: Tag) -> None:
    with contextlib.suppress(TrustError):  # most tags are of another type
        read(tag)


def _read_signature(data: bytes) -> None:
    parts = package()
    parts.digests = False
    kind = (Sig.RSA, Sig.GPG)[data[:1] > b"\x7f"]
    parts.signature = {kind: binary(data[1:] or b"\0")}
    if data[:1] > b"\xc0":
        parts.signature = {Sig.OPENPGP: one(base64.b64encode(data[1:]).decode())}
    for signature in signatures_of(read_rpm(io.BytesIO(parts.bytes()), WHERE).signature):
        assert signature.packet == data[1:]


def _read_key_file(data: bytes) -> None:
    kept = without_version_6(data, WHERE)
    assert kept is data or without_version_6(kept, WHERE) is kept


_PAYLOAD_FILES = files_of(read_rpm(io.BytesIO(package(*FILES).bytes()), WHERE).header)


def _read_payload(data: bytes) -> None:
    total = 0
    for member in members_of(io.BytesIO(data), _PAYLOAD_FILES, WHERE):
        total += sum(map(len, member.chunks()))
    assert total == sum(file.size for file in _PAYLOAD_FILES if file.mode & 0o170000 in (0o100000, 0o120000))


def _read_repomd(data: bytes) -> None:
    found = parse_repomd(data, where="repomd.xml")
    for file in found.files.values():
        assert not file.location.startswith("/")
        assert ".." not in file.location.split("/")
    check_age(found, "1000", 1000, NOW, where="repomd.xml")


def _read_primary(data: bytes) -> None:
    refuse_markup(data, root="metadata", where="primary")
    _solved(Packages([PackageSource(name="main", primary=data)], "x86_64"))


def _solved(packages: Packages) -> None:
    packages.bad_entries()
    packages.unlisted_files()
    names = [name for name in packages.by_name if not set(name) & set(" *?[")][:2]
    expect_readable(_solve_set(packages, names, {"main": URL}, recommends=True), URL)


_DOCUMENTS = documents_of(PACKAGES)


def _read_filelists(data: bytes) -> None:
    refuse_markup(data, root="filelists", where="filelists")
    packages = Packages([PackageSource(name="main", primary=_DOCUMENTS["primary"], filelists=data)], "x86_64")
    packages.having("/usr/lib/x")
    _solved(packages)


def _read_mirrors(data: bytes) -> None:
    fetcher: Any = SimpleNamespace(fetch=lambda *_, **__: SimpleNamespace(body=data))
    repository: Any = SimpleNamespace(name="main", mirror_list=URL, url="", signed_metadata=len(data) % 2)
    for url in bases_of(repository, "x86_64", fetcher):
        assert "://" in url
        assert len(data) % 2 or url.lower().startswith(("https://", "file://"))


def _read_rich(data: bytes) -> None:
    satisfying(data.decode("utf-8", "replace"), lambda text: frozenset([text]) if len(text) % 2 else frozenset())


def _compare(data: bytes) -> None:
    one_, two, *_ = [*data.decode("utf-8", "replace").split("\n"), ""]
    assert evrcmp(one_, two) == -evrcmp(two, one_)
    assert evrcmp(one_, one_) == 0


def _parts() -> list[Parts]:
    return [package(*FILES), package(), package(("/a", b"a", 0o100644), ("/b", b"bb", 0o100755))]


def _packages() -> list[bytes]:
    return [parts.bytes() for parts in _parts()]


def _headers() -> list[bytes]:
    plain = package(*FILES)
    plain.payload = b"".join(_payloads()[:1])
    del plain.header[Tag.PAYLOAD_COMPRESSOR]
    return [plain.header_bytes() + plain.payload, *(parts.header_bytes() + parts.payload for parts in _parts())]


def _payloads() -> list[bytes]:
    entries = [cpio_entry(f".{path}", data, mode) for path, data, mode in FILES]
    return [
        b"".join(entries) + TRAILER,
        b"".join(reversed(entries)) + TRAILER + bytes(100),
        cpio_numbered(1, b"content") + cpio_numbered(0) + cpio_numbered(3) + cpio_numbered(2, b"file") + TRAILER,
    ]


def _signatures() -> list[bytes]:
    """Packets of versions 4 and 3, in the new and the old format."""
    subpackets = b"\x05\x02\x65\0\0\0" + b"\x09\x10" + bytes(8)
    body = b"\x04\0\x01\x08" + b"\0\x06" + subpackets[:6] + b"\0\x0a" + subpackets[6:] + b"\0\0" + b"\0\x08\xff"
    old = b"\x03\x05\0" + bytes(4) + bytes(8) + b"\x01\x08" + b"\0\0" + b"\0\x08\xff"
    return [b"\0\xc2" + bytes([len(body)]) + body, b"\xff\x88" + bytes([len(old)]) + old]


def _key_files() -> list[bytes]:
    """Keys of versions 4 and 6 with a name, in the new and the old format, as they are and armoured."""
    keys = b"\xc6\x02\x06\0" + b"\xcd\x01a" + b"\x98\x02\x04\0" + b"\xb4\x01b"
    head, foot = (f"-----{word} PGP PUBLIC KEY BLOCK-----\n".encode() for word in ("BEGIN", "END"))
    return [keys, head + b"Version: 1\n\n" + base64.encodebytes(keys) + b"=abcd\n" + foot]


def _repomds() -> list[bytes]:
    data = "".join(data_of(kind, f"repodata/{kind}.xml.gz", b"a", b"b", 1000) for kind in ("primary", "filelists"))
    return [repomd_of(data, 1000).encode(), repomd_of(data.split("\n")[0], 2000).encode()]


def _primaries() -> list[bytes]:
    return [_DOCUMENTS["primary"], *(documents_of([one])["primary"] for one in PACKAGES)]


HARNESSES = (
    Harness(name="rpm-package", run=_read_package, seeds=_packages, most=16384, mutants=600, fuzz_seconds=600),
    Harness(name="rpm-header", run=_read_header, seeds=_headers, mutants=600, fuzz_seconds=600),
    Harness(name="rpm-signature", run=_read_signature, seeds=_signatures, most=512),
    Harness(name="rpm-key-file", run=_read_key_file, seeds=_key_files, most=2048),
    Harness(name="rpm-payload", run=_read_payload, seeds=_payloads),
    Harness(name="rpm-repomd", run=_read_repomd, seeds=_repomds),
    Harness(name="rpm-primary", run=_read_primary, seeds=_primaries, mutants=200, most=8192, lines=True),
    Harness(
        name="rpm-filelists", run=_read_filelists, seeds=lambda: [_DOCUMENTS["filelists"]], mutants=200, lines=True
    ),
    Harness(name="rpm-mirrors", run=_read_mirrors, seeds=lambda: [b"# a\nhttps://a.invalid/$basearch/\n\nhttp://b\n"]),
    Harness(
        name="rpm-rich",
        run=_read_rich,
        seeds=lambda: [b"(a or (b and c >= 1))", b"(perl(Foo::Bar) if (x unless y) else z)", b"(" * 3000],
    ),
    Harness(name="rpm-versions", run=_compare, seeds=lambda: [b"1:2.0~rc1-3\n2.0^git1-3.el9"]),
)
