"""Read a binary package: deb(5), an ar(5) archive of a format version, a control tar and a data tar.

* Nothing here executes or writes anything. Sizes and offsets are checked against the file before they are used.
* Raises TrustError for anything unexpected: the package has matched its signed checksum, so it is no accident.
"""

from __future__ import annotations

import contextlib
import io
import tarfile
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Self

from oic.deb822 import fields_of
from oic.errors import TrustError
from oic.ospackage.tar_entry import StrictEntry
from oic.provider.compression import package_limit, plain_stream

if TYPE_CHECKING:
    from collections.abc import Iterator

_MAGIC = b"!<arch>\n"
_HEADER = 60
_CHUNK = 1 << 18
_CONTROL_LIMIT = 64 << 20
_EXTENSIONS = (tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK)
_TYPES = (tarfile.REGTYPE, tarfile.AREGTYPE, *(b"%d" % number for number in range(1, 7)), *_EXTENSIONS)
"""The entry types that dpkg supports (lib/dpkg/tarfn.c): no sparse files and no PAX headers."""
_TIMES = range(-(1 << 31), 1 << 32)
_MAX_ENTRIES = 1 << 20
_COMPRESSIONS = {"tar": "", "gz": "gz", "xz": "xz", "zst": "zst"}
_NEEDED = ("Package", "Version", "Architecture")


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A member of the ar archive and where its bytes are; the ending of its name says how they are compressed."""

    name: str
    offset: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlFile:
    """A file of the control tar, such as ``postinst``; `time` is None when it was generated here."""

    content: bytes
    mode: int
    time: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Deb:
    """A package: its control files by name, the fields of the file ``control``, and the member that is its data tar."""

    control: dict[str, ControlFile]
    fields: dict[str, str]
    data: Member


class _Entry(StrictEntry):
    """An entry header that raises an error for an entry that dpkg would refuse, or a time that is out of range."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        entry = super().frombuf(buf, encoding, errors)
        if entry.type not in _TYPES:
            raise tarfile.ReadError(f"expected an entry of a type that dpkg knows, found {entry.type!r}")
        if entry.mtime not in _TIMES:
            raise tarfile.ReadError(f"expected a time between 1901 and 2106, found {entry.mtime} seconds after 1970")
        return entry


class _Slice(io.RawIOBase):
    """A member as a stream of its own. It seeks before each read, so that several can share one file."""

    def __init__(self, file: IO[bytes], member: Member) -> None:
        self._file = file
        self._at = member.offset
        self._end = member.offset + member.size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        self._file.seek(self._at)
        data = self._file.read(min(len(buffer), self._end - self._at))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


def read_deb(file: IO[bytes], where: str) -> Deb:
    """Read the members and the control tar of an open package."""
    members = {member.name.partition(".")[0]: member for member in _members(file, where)}
    missing = {"debian-binary", "control", "data"} - members.keys()
    if missing:
        raise TrustError(f"expected a deb package, found no {', '.join(sorted(missing))} member", where=where)
    control: dict[str, ControlFile] = {}
    with tar_of(file, members["control"], where, limit=_CONTROL_LIMIT) as tar:
        for entry in entries_of(tar, where):
            name = entry.name.removeprefix("./")
            if entry.isreg():
                if name in ("", ".", "..") or "/" in name or not name.isprintable():
                    raise TrustError(f"expected control files of plain names, found {name[:80]!r}", where=where)
                reader = tar.extractfile(entry)
                content = reader.read() if reader else b""
                control[name] = ControlFile(content=content, mode=entry.mode & 0o755, time=int(entry.mtime))
    if "control" not in control:
        raise TrustError("expected a control file in the package's control archive, found none", where=where)
    fields = fields_of(control["control"].content.decode("utf-8", "replace"), where=where)
    for name in _NEEDED:
        if not fields.get(name.lower()):
            raise TrustError(f"expected the field {name} in the control file, found none", where=where)
    return Deb(control=control, fields=fields, data=members["data"])


def _members(file: IO[bytes], where: str) -> Iterator[Member]:
    end = file.seek(0, io.SEEK_END)
    file.seek(0)
    if file.read(len(_MAGIC)) != _MAGIC:
        raise TrustError("expected a deb package, found a file that does not begin with !<arch>", where=where)
    at = len(_MAGIC)
    while at + _HEADER <= end:
        file.seek(at)
        header = file.read(_HEADER)
        digits = header[48:58].strip()
        if header[58:] != b"`\n" or not digits.isdigit() or at + _HEADER + int(digits) > end:
            raise TrustError(f"expected an ar member header at byte {at}, found {header[:16]!r}", where=where)
        name = header[:16].decode("ascii", "replace").strip().rstrip("/")
        if not name.isprintable():
            raise TrustError(f"expected an ar member of a plain name at byte {at}, found {name!r}", where=where)
        yield Member(name=name, offset=at + _HEADER, size=int(digits))
        at += _HEADER + int(digits) + int(digits) % 2


def entries_of(tar: tarfile.TarFile, where: str) -> Iterator[tarfile.TarInfo]:
    """Yield the entries in order, then read to the end of the member, so that truncation is noticed.

    Raises TrustError, also when there are too many entries.
    """
    count = 0
    while (entry := tar.next()) is not None:
        count += 1
        if count > _MAX_ENTRIES:
            raise TrustError(f"expected a package of at most {_MAX_ENTRIES} files, found more", where=where)
        yield entry
        tar.members.clear()  # type: ignore[attr-defined]  # tarfile keeps every entry, even of a stream
    while tar.fileobj and tar.fileobj.read(_CHUNK):
        pass


@contextlib.contextmanager
def tar_of(file: IO[bytes], member: Member, where: str, *, limit: int | None = None) -> Iterator[tarfile.TarFile]:
    """Open a member as a tar stream of at most `limit` bytes; read its entries by `entries_of`, in order."""
    raw = io.BufferedReader(_Slice(file, member), _CHUNK)
    ending = member.name.rpartition(".")[2]
    if ending not in _COMPRESSIONS:
        raise TrustError(f"expected a tar, .gz, .xz or .zst member, found {member.name}", where=where)
    limit = package_limit(member.size) if limit is None else limit
    try:
        # "r|" reads the tar as a stream: without seeking, no entry can be read twice or out of order.
        with (
            plain_stream(raw, _COMPRESSIONS[ending], limit, what=member.name, where=where) as stream,
            tarfile.open(fileobj=stream, mode="r|", errorlevel=2, tarinfo=_Entry) as tar,
        ):
            yield tar
    except tarfile.TarError as error:
        raise TrustError(f"{member.name} cannot be read: {error}", where=where) from error
