"""Read ``repomd.xml``: a repository's signed document with the checksums of its metadata files.

* Checksums must be sha256, sha384 or sha512; weaker ones are refused for the files that are used.
* A file's path must be below the repository: not absolute, without ``..``, and on the same host.
* Only `PRIMARY` and `FILELISTS` are used; the sqlite, zchunk and modular files are ignored.

The format is that of createrepo_c; the namespace is ``http://linux.duke.edu/metadata/repo``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote

from oic.errors import TrustError
from oic.provider.age import older_error, refuse_future
from oic.provider.compression import SUPPORTED
from oic.provider.rpm.markup import parse_markup

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from oic.provider.rpm.markup import Element

PRIMARY = "primary"
FILELISTS = "filelists"
OF_CLIENTS = (FILELISTS, "updateinfo", "group", "group_gz", "modules", "prestodelta")
"""What dnf reads beside primary, where a repository has it. Changelogs (``other``) are read when they are asked for."""
ROOTS = {PRIMARY: "metadata", FILELISTS: "filelists"}
"""The root element of each file that is read here."""

STRONG = {"sha256": 64, "sha384": 96, "sha512": 128}
"""The checksums that are accepted, with their number of hexadecimal digits."""

_MAX_DOCUMENT = 2**20
_MAX_FILE = 2**30


@dataclass(frozen=True, slots=True, kw_only=True)
class Checksum:
    """An algorithm of `STRONG` and its value, in hexadecimal digits."""

    algorithm: str
    value: str

    def __str__(self) -> str:
        return f"{self.algorithm}:{self.value}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MetadataFile:
    """A file that repomd.xml lists; `compression` is named as in `oic.provider.compression`.

    Where the document gives no size, `size` and `plain_size` are limits. `plain` is the checksum of the decompressed
    file, if given.
    """

    location: str
    compression: str
    checksum: Checksum
    size: int
    plain: Checksum | None
    plain_size: int
    exact: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Repomd:
    """The document: `revision` as it is given, usually in seconds; `timestamp` is the time of the newest file."""

    revision: str
    timestamp: int
    files: Mapping[str, MetadataFile]


def parse_repomd(document: bytes, *, where: str, kinds: Collection[str] = (PRIMARY, FILELISTS)) -> Repomd:
    """Return the values of a repomd.xml, and the entries of these kinds that it has; raises TrustError."""
    if len(document) > _MAX_DOCUMENT:
        raise TrustError(f"expected at most {_MAX_DOCUMENT} bytes, found {len(document)}", where=where)
    root = parse_markup(document, where=where)
    if root.name.rpartition("}")[2] != "repomd":
        raise TrustError(f"expected repository metadata, found <{root.name.rpartition('}')[2][:40]}>", where=where)
    entries: dict[str, Element] = {}
    for entry in root.all("data"):
        kind = entry.attributes.get("type", "")
        if kind in entries and kind in (PRIMARY, FILELISTS):
            raise TrustError(f"expected {kind} once, found it again", where=where)
        entries[kind] = entry
    if PRIMARY not in entries:
        raise TrustError("expected a list of packages (primary), found none", where=where)
    return Repomd(
        revision=root.text_of("revision"),
        timestamp=max(_number(entry, "timestamp", 0, where) for entry in entries.values()),
        files={kind: _file(entries[kind], kind, where) for kind in kinds if kind in entries},
    )


def check_age(found: Repomd, revision: str, timestamp: int, now: datetime, *, where: str) -> None:
    """Raise TrustError for metadata from the future, or older than those with `revision` and `timestamp`."""
    refuse_future(found.timestamp, now, found=f"{found.timestamp} seconds after 1970", where=where)
    numbers = all(re.fullmatch("[0-9]{1,18}", text) for text in (found.revision, revision))
    if numbers and int(found.revision) != int(revision):
        older, was, found_as = int(found.revision) < int(revision), f"revision {revision}", found.revision
    else:
        older, was, found_as = found.timestamp < timestamp, f"timestamp {timestamp}", str(found.timestamp)
    if older:
        raise older_error(was, found_as, where=where)


def safe_location(path: str) -> bool:
    """Tell whether a path in the metadata stays below its repository, as it is and with its %xx decoded."""
    return all(
        re.fullmatch(r"[^\x00-\x1f\x7f\\?#]+", text)
        and not text.startswith("/")
        and "://" not in text
        and ".." not in text.split("/")
        for text in (path, unquote(path))
    )


def _file(entry: Element, kind: str, where: str) -> MetadataFile:
    location = entry.first("location")
    path = location.attributes.get("href", "") if location else ""
    other = [name for name in location.attributes if name.rpartition("}")[2] == "base"] if location else []
    if not safe_location(path) or other:
        raise TrustError(f"expected {kind} below the repository, found it at {path[:120]!r}", where=where)
    checksum = _checksum(entry, "checksum", kind, where)
    if checksum is None:
        raise TrustError(f"expected a checksum of {kind}, found none", where=where)
    return MetadataFile(
        location=path,
        compression=_compression(path, kind, where),
        checksum=checksum,
        size=_number(entry, "size", _MAX_FILE, where),
        plain=_checksum(entry, "open-checksum", kind, where),
        plain_size=_number(entry, "open-size", _MAX_FILE, where),
        exact=entry.first("size") is not None,
    )


def _compression(path: str, kind: str, where: str) -> str:
    ending = path.rpartition("/")[2].rpartition(".")[2]
    compression = "" if ending in {"xml", "yaml"} else ending
    if compression not in SUPPORTED:
        known = ", ".join(filter(None, SUPPORTED))
        raise TrustError(f"expected {kind} plain or as one of {known}, found {path}", where=where)
    return compression


def _checksum(entry: Element, name: str, kind: str, where: str) -> Checksum | None:
    element = entry.first(name)
    if element is None:
        return None
    algorithm, value = element.attributes.get("type", ""), entry.text_of(name).lower()
    if algorithm not in STRONG:
        raise TrustError(f"expected a sha256 checksum of {kind} or a longer one, found {algorithm[:20]!r}", where=where)
    if not re.fullmatch(rf"[0-9a-f]{{{STRONG[algorithm]}}}", value):
        raise TrustError(f"expected a {algorithm} checksum of {kind}, found {value[:130]!r}", where=where)
    return Checksum(algorithm=algorithm, value=value)


def _number(entry: Element, name: str, default: int, where: str) -> int:
    if entry.first(name) is None:
        return default
    text = entry.text_of(name).partition(".")[0]  # old versions of createrepo wrote fractions of seconds
    if not re.fullmatch(r"[0-9]{1,12}", text):
        raise TrustError(f"expected a number in {name}, found {text[:40]!r}", where=where)
    number = int(text)
    if number > _MAX_FILE and name.endswith("size"):
        raise TrustError(f"expected files of at most {_MAX_FILE} bytes, found one of {number}", where=where)
    return number
