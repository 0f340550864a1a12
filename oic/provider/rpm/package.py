"""What a package's header says: its name and version, and the files it brings.

* A file list is read only as a whole: arrays of one length, paths below the root and each only once, types that a
  package may have. Paths are absolute (``/usr/bin/env``); rpm splits them into directory and base name.
* What no file system could hold is refused here: names, paths and links that are too long, directories too deep.
* Files are in the order of the header, by which a payload may number them.
* Raises TrustError: the header is signed, so any surprise in it is worth a refusal.
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
"""RPMFILE_GHOST: the file belongs to the package and is not in it."""
_TYPES = (stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK, stat.S_IFIFO)
_MOST_NAME, _MOST_PATH = 255, 4095  # limits.h(0p): NAME_MAX, PATH_MAX without its zero
_MOST_DEPTH = 200
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Nevra:
    """A package's full name. `version` is as in a lock: ``[epoch:]version-release``, the epoch when it is not 0."""

    name: str
    version: str
    architecture: str

    def __str__(self) -> str:
        return f"{self.name} {self.version} {self.architecture}"


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file of the header. `size` is of its content; `link` the target of a symbolic link; `digest` hexadecimal.

    `inode` and `device` are equal for the names of one hard-linked file.
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
        """Tell whether the payload has nothing of it."""
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
    """Return the name of the hash that the file digests are of."""
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
        # As for rpm, no file has a second name where not both are told; some programs write no devices.
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
    """Tell whether a path has only real names of plain text between its slashes."""
    return not _CONTROL.search(path) and not {"", ".", ".."} & set(path[1:].split("/"))


def _raw(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _fits(path: str) -> bool:
    raw = _raw(path)
    names = raw[1:].split(b"/")
    return len(raw) <= _MOST_PATH and len(names) <= _MOST_DEPTH and max(map(len, names)) <= _MOST_NAME


def _check_type(file: File, where: str) -> None:
    kind = stat.S_IFMT(file.mode)
    if file.ghost:
        return
    if kind in (stat.S_IFCHR, stat.S_IFBLK):
        raise TrustError(f"expected files, directories and links, found a device node, {file.path!r}", where=where)
    if kind not in _TYPES:
        raise TrustError(f"expected a file of a known type, found {file.path!r} of mode {file.mode:o}", where=where)
    if len(_raw(file.link)) > _MOST_PATH:
        raise TrustError(
            f"expected a link's target of {_MOST_PATH} bytes at most, found more, {file.path!r}", where=where
        )
    if (kind == stat.S_IFLNK) != bool(file.link):
        raise TrustError(f"expected a target with a link and with nothing else, found {file.path!r}", where=where)
