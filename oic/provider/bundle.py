"""Read the package files in an archive that a recipe names: ``.tar``, ``.tar.gz``, ``.tgz`` or ``.zip``.

* Nothing is unpacked: the content of each package file is read as a stream, and names are only for messages.
* Package files may be in any directory of the archive. Other files are passed over.
* A path that leads out of the archive is refused. So is a link, a pipe or a device with the name of a package, an
  encrypted file, and an archive with too many entries or too much content for its size.

The formats are those of pax(1) and of APPNOTE.TXT of PKWARE (stored and deflated files).
"""

from __future__ import annotations

import stat
import tarfile
import zipfile
import zlib
from typing import IO, TYPE_CHECKING, Protocol

from oic.errors import TrustError, one_line
from oic.ospackage.tar_entry import StrictEntry
from oic.provider.compression import package_limit, plain_stream

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_MAX_ENTRIES = 20_000
_ZIP_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_TAR_DAMAGE = (tarfile.TarError, ValueError, OverflowError, RecursionError)
_ZIP_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError, OverflowError)


class _Read(Protocol):
    """What is called with the path of a package file in an archive, and with its content."""

    def __call__(self, member: str, content: IO[bytes], /) -> None: ...


def read_package_files(archive: Path, ending: str, read: _Read, *, kind: str, where: str) -> None:
    """Call `read` for each file in an archive whose name has this ending; raises TrustError.

    `kind` is the ending of the archive's own name, which says of which format it is.
    """
    word, damage = ("zip", _ZIP_DAMAGE) if kind == ".zip" else ("tar", _TAR_DAMAGE)
    try:
        if kind == ".zip":
            _in_zip(archive, where, ending, read)
        else:
            _in_tar(archive, where, ending, read, "" if kind == ".tar" else "gz")
    except damage as error:
        found = one_line(str(error))[:100]
        raise TrustError(f"expected a {word} archive, found damage: {found}", where=where) from None


def _in_tar(archive: Path, where: str, ending: str, read: _Read, compression: str) -> None:
    limit = package_limit(archive.stat().st_size)
    with (
        archive.open("rb") as file,
        plain_stream(file, compression, limit, what="the archive", where=where) as stream,
        tarfile.open(fileobj=stream, mode="r|", errorlevel=2, tarinfo=StrictEntry) as tar,
    ):
        for entry in _entries(tar, where):
            if not entry.name.endswith(ending) or entry.isdir():
                continue
            if not entry.isreg() or entry.issparse() or (content := tar.extractfile(entry)) is None:
                found = f"{_kind(entry)}: {_shown(entry.name)}"
                raise TrustError(f"expected a regular file, found {found}", where=where)
            read(entry.name, content)


def _entries(tar: tarfile.TarFile, where: str) -> Iterator[tarfile.TarInfo]:
    """Yield the entries, then read to the end of the archive, so that truncation is noticed."""
    count = 0
    while (entry := tar.next()) is not None:
        count += 1
        _check(entry.name, count, where)
        yield entry
        tar.members.clear()  # type: ignore[attr-defined]  # tarfile keeps every entry, even of a stream
    while tar.fileobj and tar.fileobj.read(1 << 18):
        pass


def _kind(entry: tarfile.TarInfo) -> str:
    if entry.issparse():
        return "a sparse file"
    return "a link" if entry.issym() or entry.islnk() else "a pipe or device"


def _in_zip(archive: Path, where: str, ending: str, read: _Read) -> None:
    limit = package_limit(archive.stat().st_size)
    with zipfile.ZipFile(archive) as opened:
        entries = opened.infolist()
        for number, entry in enumerate(entries, 1):
            _check(entry.filename, number, where)
        if sum(entry.file_size for entry in entries) > limit:
            raise TrustError(f"expected an archive of at most {limit} bytes of content, found more", where=where)
        for entry in entries:
            if entry.filename.endswith(ending):
                _check_zip(entry, where)
                with opened.open(entry) as content:
                    read(entry.filename, content)


def _check_zip(entry: zipfile.ZipInfo, where: str) -> None:
    mode = entry.external_attr >> 16
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        kind = "a link" if stat.S_ISLNK(mode) else "a pipe or device"
        raise TrustError(f"expected a regular file, found {kind}: {_shown(entry.filename)}", where=where)
    if entry.flag_bits & 1:
        raise TrustError(f"expected a file that can be read, found it encrypted: {_shown(entry.filename)}", where=where)
    if entry.compress_type not in _ZIP_METHODS:
        found = f"method {entry.compress_type}: {_shown(entry.filename)}"
        raise TrustError(f"expected a file that is stored or deflated, found {found}", where=where)


def _check(path: str, count: int, where: str) -> None:
    if count > _MAX_ENTRIES:
        raise TrustError(f"expected an archive of at most {_MAX_ENTRIES} files, found more", where=where)
    if path.startswith(("/", "\\")) or ".." in path.replace("\\", "/").split("/"):
        raise TrustError(f"expected paths below the archive's root, found {_shown(path)}", where=where)


def _shown(path: str) -> str:
    return ascii(path[:120])
