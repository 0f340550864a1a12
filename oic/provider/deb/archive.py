"""A binary package as bytes: deb(5), an ar(5) archive of a version, a control tar and a data tar.

* Nothing here executes or writes anything; sizes and offsets are checked against the file before they are used.
* Raises TrustError: a package that got this far matched its signed checksum, so any surprise in it is worth a refusal.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import lzma
import tarfile
import zlib
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Self, cast

import zstandard

from oic.errors import TrustError

if TYPE_CHECKING:
    from collections.abc import Iterator

_MAGIC = b"!<arch>\n"
_HEADER = 60
_CONTROL_LIMIT = 64 << 20
_END_OF_ARCHIVE: type[Exception] = tarfile.EOFHeaderError  # type: ignore[attr-defined]
_DAMAGE = (
    tarfile.TarError,
    lzma.LZMAError,
    zlib.error,
    zstandard.ZstdError,
    gzip.BadGzipFile,
    EOFError,
    OverflowError,
    ValueError,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A part of the archive: where its bytes are and how they are compressed (the end of its name)."""

    name: str
    offset: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlFile:
    """A file of the control tar, such as ``postinst``; `time` is none when it was not in there but made now."""

    content: bytes
    mode: int
    time: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Deb:
    """A package's control files by name and the place of its data tar."""

    control: dict[str, ControlFile]
    data: Member


class _StrictEntry(tarfile.TarInfo):
    """An entry header; a damaged or missing one is an error, where tarfile would take it for the archive's end."""

    @classmethod
    def fromtarfile(cls, tar: tarfile.TarFile) -> Self:
        try:
            return super().fromtarfile(tar)
        except _END_OF_ARCHIVE:
            raise
        except tarfile.HeaderError as error:
            raise tarfile.ReadError(f"damaged entry header: {error}") from error


class _Slice(io.RawIOBase):
    """Part of a file as a readable stream, without moving anyone else's position."""

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
    """Read the member table and the control tar of an open package."""
    members = {member.name.partition(".")[0]: member for member in _members(file, where)}
    missing = {"debian-binary", "control", "data"} - members.keys()
    if missing:
        raise TrustError(f"expected a deb package, found no {', '.join(sorted(missing))} member", where=where)
    control: dict[str, ControlFile] = {}
    with tar_of(file, members["control"], where) as tar:
        for entry in tar:
            name = entry.name.removeprefix("./")
            if entry.isreg() and ("/" in name or name in ("", ".", "..")):
                raise TrustError(f"expected control files of plain names, found {name[:80]!r}", where=where)
            if entry.isreg() and entry.size <= _CONTROL_LIMIT:
                reader = tar.extractfile(entry)
                content = reader.read() if reader else b""
                control[name] = ControlFile(content=content, mode=entry.mode & 0o755, time=int(entry.mtime))
    if "control" not in control:
        raise TrustError("expected a control file in the package's control archive, found none", where=where)
    return Deb(control=control, data=members["data"])


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
        yield Member(name=name, offset=at + _HEADER, size=int(digits))
        at += _HEADER + int(digits) + int(digits) % 2


@contextlib.contextmanager
def tar_of(file: IO[bytes], member: Member, where: str) -> Iterator[tarfile.TarFile]:
    """Open a member as a tar stream; its entries must be read in order."""
    raw = io.BufferedReader(_Slice(file, member), 1 << 18)
    try:
        # A lone ".tar" read as a stream: no seeking, so no member is read twice or out of order.
        with (
            _decompressed(raw, member.name, where) as stream,
            tarfile.open(fileobj=stream, mode="r|", errorlevel=2, tarinfo=_StrictEntry) as tar,
        ):
            yield tar
    except _DAMAGE as error:
        raise TrustError(f"{member.name} cannot be read: {error}", where=where) from error


def _decompressed(raw: io.BufferedReader[_Slice], name: str, where: str) -> IO[bytes]:
    ending = name.rpartition(".")[2]
    if ending == "xz":
        return lzma.open(raw)
    if ending == "zst":
        return zstandard.ZstdDecompressor().stream_reader(raw)
    if ending == "gz":
        return cast("IO[bytes]", gzip.open(raw))
    if ending == "tar":
        return raw
    raise TrustError(f"expected a tar, .gz, .xz or .zst member, found {name}", where=where)
