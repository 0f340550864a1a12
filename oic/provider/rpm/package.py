"""Read a package's name, version and file list from its header.

* A file list must be consistent: arrays of one length, each path once and below the root, and only types that a package
  may have. Paths are absolute (``/usr/bin/env``); rpm splits them into directory and base name.
* Names, paths and links that are too long for a file system are refused, and so are directories that are too deep.
* Files keep the order of the header, because a payload may refer to them by number.
* Raises TrustError for anything unexpected: the header is signed, so it is no accident.
"""

from __future__ import annotations

import re
import stat
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from oic.errors import TrustError
from oic.provider.rpm.tags import HASHES, WEAK_HASHES, Tag

if TYPE_CHECKING:
    from collections.abc import Sequence

    from oic.provider.rpm.header import Header

GHOST = 1 << 6
"""RPMFILE_GHOST: the file belongs to the package but is not in its payload."""
_TYPES = (stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK, stat.S_IFIFO)
_MAX_NAME, _MAX_PATH = 255, 4095  # limits.h(0p): NAME_MAX, and PATH_MAX without the zero at the end
_MAX_DEPTH = 200
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Nevra:
    """A package's full name. `version` is ``[epoch:]version-release`` as in a lock, without an epoch of 0."""

    name: str
    version: str
    architecture: str

    def __str__(self) -> str:
        return f"{self.name} {self.version} {self.architecture}"


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file in the header: `size` of its content, `link` target of a symbolic link, hexadecimal `digest`.

    Hard links to one file have the same `inode` and `device`.
    """

    path: str
    mode: int
    size: int
    mtime: int
    link: str
    digest: str
    flags: int
    user: str
    group: str
    device: int
    inode: int

    @property
    def ghost(self) -> bool:
        """Tell whether the file is missing in the payload."""
        return bool(self.flags & GHOST)


def nevra_of(header: Header) -> Nevra:
    """Return the package's full name; raises TrustError for a source package."""
    if Tag.SOURCE_PACKAGE in header.entries:
        raise TrustError("expected a binary package, found a source package", where=header.where)
    epoch = header.number(Tag.EPOCH, 0)
    version = f"{header.string(Tag.VERSION)}-{header.string(Tag.RELEASE)}"
    return Nevra(
        name=header.string(Tag.NAME),
        version=f"{epoch}:{version}" if epoch else version,
        architecture=header.string(Tag.ARCHITECTURE),
    )


def file_hash_of(header: Header) -> str:
    """Return the name of the hash algorithm of the file digests."""
    number = header.number(Tag.FILE_DIGEST_ALGORITHM, 1)
    if number not in HASHES:
        found = WEAK_HASHES.get(number, f"algorithm {number}")
        raise TrustError(f"expected file digests of {' or '.join(HASHES.values())}, found {found}", where=header.where)
    return HASHES[number]


def files_of(header: Header) -> tuple[File, ...]:
    """Return the package's files."""
    paths = _paths(header)
    if not paths:
        return ()
    file_hash_of(header)
    sizes = header.numbers(Tag.LONG_FILE_SIZES) or header.numbers(Tag.FILE_SIZES)
    columns: dict[str, Sequence[int | str]] = {
        "size": sizes,
        "mode": header.numbers(Tag.FILE_MODES),
        "mtime": header.numbers(Tag.FILE_MTIMES),
        "link": header.strings(Tag.FILE_LINKS),
        "digest": header.strings(Tag.FILE_DIGESTS),
        "flags": header.numbers(Tag.FILE_FLAGS),
        "user": header.strings(Tag.FILE_USERS),
        "group": header.strings(Tag.FILE_GROUPS),
        # As with rpm, there are no hard links unless both are given; some programs write no devices.
        "device": header.numbers(Tag.FILE_DEVICES) or range(len(paths)),
        "inode": header.numbers(Tag.FILE_INODES) or range(len(paths)),
    }
    for name, column in columns.items():
        if len(column) != len(paths):
            message = f"expected the {name} of {len(paths)} files in the header, found {len(column)}"
            raise TrustError(message, where=header.where)
    rows = zip(paths, *columns.values(), strict=True)
    files = tuple(File(**dict(zip(("path", *columns), row, strict=True))) for row in rows)
    for file in files:
        _check_type(file, header.where)
    return files


def _paths(header: Header) -> list[str]:
    names = header.strings(Tag.BASE_NAMES)
    directories = header.strings(Tag.DIRECTORY_NAMES)
    indexes = header.numbers(Tag.DIRECTORY_INDEXES)
    if len(indexes) != len(names) or any(index >= len(directories) for index in indexes):
        raise TrustError("expected a directory for each file of the header, found none for some", where=header.where)
    for directory in directories:
        if not (directory.startswith("/") and directory.endswith("/")):
            raise TrustError(f"expected an absolute directory in the header, found {directory!r}", where=header.where)
    paths = []
    for name, index in zip(names, indexes, strict=True):
        path = directories[index] + name
        if path != "/" and ("/" in name or not _is_plain(path)):
            message = f"expected a path below the root, found {path[:120]!r} in the header"
            raise TrustError(message, where=header.where)
        if not _fits(path):
            message = f"expected a path that a file system can hold, found {path[:120]!r} in the header"
            raise TrustError(message, where=header.where)
        paths.append(path)
    repeated = [path for path, count in Counter(paths).items() if count > 1]
    if repeated:
        raise TrustError(f"expected each path once in the header, found {repeated[0]!r} twice", where=header.where)
    return paths


def _is_plain(path: str) -> bool:
    """Tell whether all components of a path are printable names."""
    return not _CONTROL.search(path) and not {"", ".", ".."} & set(path[1:].split("/"))


def _raw(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _fits(path: str) -> bool:
    raw = _raw(path)
    names = raw[1:].split(b"/")
    return len(raw) <= _MAX_PATH and len(names) <= _MAX_DEPTH and max(map(len, names)) <= _MAX_NAME


def _check_type(file: File, where: str) -> None:
    kind = stat.S_IFMT(file.mode)
    if file.ghost:
        return
    if kind in (stat.S_IFCHR, stat.S_IFBLK):
        raise TrustError(f"expected files, directories and links, found a device node, {file.path!r}", where=where)
    if kind not in _TYPES:
        raise TrustError(f"expected a file of a known type, found {file.path!r} of mode {file.mode:o}", where=where)
    if len(_raw(file.link)) > _MAX_PATH:
        raise TrustError(
            f"expected a link's target of {_MAX_PATH} bytes at most, found more, {file.path!r}", where=where
        )
    if (kind == stat.S_IFLNK) != bool(file.link):
        raise TrustError(f"expected a target with a link and with nothing else, found {file.path!r}", where=where)
