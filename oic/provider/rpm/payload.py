"""Read a package's payload, a cpio archive, as a stream, and compare each entry with the header.

* The formats are cpio "newc" (magics ``070701``, ``070702``) and rpm's own for files over 4 GiB, ``07070X``, whose
  entries have only the number of the file in the header.
* Each entry must be a file of the header with the same type, mode and size, and occur once. Every file of the header
  must be there, except for ghosts. So there is never more to read than the header says.
* The content of a file with several names (hard links) comes with the last name; the entries before it are empty.
"""

from __future__ import annotations

import stat
from collections import Counter
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from oic.errors import TrustError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from oic.provider.rpm.package import File

_NUMBERED = b"07070X"
_MAGICS = (b"070701", b"070702")
_FIELDS = 13  # of 8 hexadecimal digits: inode, mode, uid, gid, links, mtime, size, 4 of devices, name size, sum
_MODE, _SIZE, _NAME = 1, 6, 11
_MAX_NAME = 4096
_TRAILER = b"TRAILER!!!"
_CHUNK = 1 << 20
_HEX = frozenset(b"0123456789abcdefABCDEF")


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """An entry: the header's `file`, and all `names` of this content (empty: the content comes with a later entry)."""

    file: File
    names: tuple[File, ...]
    chunks: Callable[[], Iterator[bytes]]
    """Yields the content; the next member skips what was not read."""


class _Stream:
    """The decompressed archive: reads exact amounts and counts the bytes."""

    def __init__(self, file: IO[bytes], where: str) -> None:
        self._file = file
        self._where = where
        self.at = 0

    def exactly(self, size: int) -> bytes:
        data = self._file.read(size)
        while len(data) < size and (more := self._file.read(size - len(data))):
            data += more
        if len(data) < size:
            raise TrustError("expected the rest of the payload, found its end", where=self._where)
        self.at += size
        return data

    def align(self) -> None:
        if self.exactly(-self.at % 4).strip(b"\0"):
            raise TrustError(f"expected zeros before byte {self.at} of the payload, found others", where=self._where)

    def numbers(self, count: int) -> list[int]:
        """Read numbers of 8 hexadecimal digits each."""
        start, digits = self.at, self.exactly(8 * count)
        if not _HEX.issuperset(digits):
            bad = next(at for at in range(0, len(digits), 8) if not _HEX.issuperset(digits[at : at + 8]))
            message = f"expected a number at byte {start + bad} of the payload, found {digits[bad : bad + 8]!r}"
            raise TrustError(message, where=self._where)
        return [int(digits[at : at + 8], 16) for at in range(0, len(digits), 8)]

    def end(self) -> None:
        """Raise TrustError unless only the padding of a block follows, at most 512 bytes."""
        rest = self._file.read(513)
        if len(rest) > 512 or rest.strip(b"\0"):
            raise TrustError("expected the end of the payload after its trailer, found more", where=self._where)


def members_of(plain: IO[bytes], files: Sequence[File], where: str) -> Iterator[Member]:
    """Yield the members of a decompressed archive; raises TrustError where it differs from the header."""
    stream = _Stream(plain, where)
    here = [file for file in files if not file.ghost]
    _check_links(here, where)
    missing = {file.path: file for file in here}
    links = _Links(here)
    while (found := _next(stream, files, missing, where)) is not None:
        file, size = found
        del missing[file.path]
        names = links.names_after(file)
        expected = _content_size(file) if names else 0
        if size is not None and size != expected:
            message = f"expected {expected} bytes of {file.path!r}, as the header says, found {size}"
            raise TrustError(message, where=where)
        left = _Content(stream, expected)
        yield Member(file=file, names=names, chunks=left.chunks)
        for _ in left.chunks():
            pass
        stream.align()
    if missing:
        path = next(iter(missing))
        raise TrustError(f"expected {len(missing)} more files in the payload, {path!r} for one", where=where)
    stream.end()


class _Content:
    """The unread rest of one member's content."""

    def __init__(self, stream: _Stream, size: int) -> None:
        self._stream = stream
        self._left = size

    def chunks(self) -> Iterator[bytes]:
        while self._left:
            data = self._stream.exactly(min(self._left, _CHUNK))
            self._left -= len(data)
            yield data


class _Links:
    """The names of each hard-linked file, and which of them have been read."""

    def __init__(self, files: Sequence[File]) -> None:
        regular = [file for file in files if stat.S_ISREG(file.mode)]
        shared = Counter((file.device, file.inode) for file in regular)
        self._sets: dict[tuple[int, int], list[File]] = {}
        self._sizes = {key: count for key, count in shared.items() if count > 1}

    def names_after(self, file: File) -> tuple[File, ...]:
        """Return all names of a file when this is the last of them; empty while more are to come."""
        key = (file.device, file.inode)
        if not stat.S_ISREG(file.mode) or key not in self._sizes:
            return (file,)
        names = self._sets.setdefault(key, [])
        names.append(file)
        return tuple(names) if len(names) == self._sizes[key] else ()


def _check_links(files: Sequence[File], where: str) -> None:
    """Raise TrustError when names of one file have different contents: only the last one's content is checked."""
    contents: dict[tuple[int, int], tuple[int, str]] = {}
    for file in filter(lambda file: stat.S_ISREG(file.mode), files):
        content = (file.size, file.digest)
        if contents.setdefault((file.device, file.inode), content) != content:
            message = f"expected one content of all names of a file in the header, found another of {file.path!r}"
            raise TrustError(message, where=where)


def _content_size(file: File) -> int:
    if stat.S_ISLNK(file.mode):
        return len(file.link.encode("utf-8", "surrogateescape"))
    return file.size if stat.S_ISREG(file.mode) else 0


def _next(
    stream: _Stream, files: Sequence[File], missing: dict[str, File], where: str
) -> tuple[File, int | None] | None:
    """Return the next entry's file, and its size if the archive has it; None at the trailer."""
    magic = stream.exactly(6)
    if magic == _NUMBERED:
        return _numbered(stream, files, missing, where), None
    if magic not in _MAGICS:
        raise TrustError(f"expected a cpio entry at byte {stream.at - 6} of the payload, found {magic!r}", where=where)
    fields = stream.numbers(_FIELDS)
    if not 1 < fields[_NAME] <= _MAX_NAME:
        raise TrustError(f"expected a name in the payload, found one of {fields[_NAME]} bytes", where=where)
    name = stream.exactly(fields[_NAME])
    stream.align()
    if name == _TRAILER + b"\0":
        return None
    file = missing.get(_path(name, where))
    if file is None:
        message = (
            f"expected a file of the header in the payload, each once, found {name[:-1].decode('utf-8', 'replace')!r}"
        )
        raise TrustError(message, where=where)
    if fields[_MODE] != file.mode:
        expected, found = f"{file.mode:o}", f"{fields[_MODE]:o}"
        raise TrustError(f"expected mode {expected} of {file.path!r} in the payload, found {found}", where=where)
    return file, fields[_SIZE]


def _numbered(stream: _Stream, files: Sequence[File], missing: dict[str, File], where: str) -> File:
    (number,) = stream.numbers(1)
    stream.align()
    if number >= len(files) or files[number].path not in missing:
        raise TrustError(f"expected a file of the header in the payload, each once, found number {number}", where=where)
    return files[number]


def _path(name: bytes, where: str) -> str:
    """Return an entry's path as in the header; rpm writes ``./usr``, older versions ``/usr`` or ``usr``."""
    if name[-1:] != b"\0" or b"\0" in name[:-1]:
        raise TrustError(f"expected a name that ends in a zero in the payload, found {name[:80]!r}", where=where)
    text = name[:-1].decode("utf-8", "surrogateescape")
    if ".." in text.split("/"):
        raise TrustError(f"expected a path below the root, found {text!r} in the payload", where=where)
    plain = text[1:] if text == "." or text.startswith("./") else text
    return "/" + plain.removeprefix("/")
