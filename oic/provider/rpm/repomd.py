"""``repomd.xml``: what a repository's signed document says about itself and the files it vouches for.

* Checksums are sha256, sha384 or sha512; weaker ones vouch for nothing and are refused, where they count.
* A file's path lies below the repository: not absolute, no ``..``, no other host.
* Only `PRIMARY` and `FILELISTS` mean anything here. Their sqlite, zchunk and modular kin are passed over.

The format is createrepo_c's; the namespace is ``http://linux.duke.edu/metadata/repo``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import unquote

from oic.errors import TrustError
from oic.provider.compression import SUPPORTED
from oic.provider.rpm.markup import parse_markup

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from oic.provider.rpm.markup import Element

PRIMARY = "primary"
FILELISTS = "filelists"
ROOTS = {PRIMARY: "metadata", FILELISTS: "filelists"}
"""The root element of each."""

STRONG = {"sha256": 64, "sha384": 96, "sha512": 128}
"""Checksums that count, and how many hexadecimal digits each has."""

_MOST_DOCUMENT = 2**20
_MOST_FILE = 2**30
_AHEAD = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checksum:
    """An algorithm of `STRONG` and its value, in hexadecimal digits."""

    algorithm: str
    value: str

    def __str__(self) -> str:
        return f"{self.algorithm}:{self.value}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MetadataFile:
    """A file that repomd.xml vouches for; `compression` as `oic.provider.compression` names it.

    `size` and `plain_size` are the most that it may have where the document does not say. `plain`: the checksum of
    what is in it, if told.
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
    """`revision` as the repository has it, mostly seconds; `timestamp`: when the newest of its files was made."""

    revision: str
    timestamp: int
    files: Mapping[str, MetadataFile]


def parse_repomd(document: bytes, *, where: str) -> Repomd:
    """Return the values of a repomd.xml; raises TrustError."""
    if len(document) > _MOST_DOCUMENT:
        raise TrustError(f"expected at most {_MOST_DOCUMENT} bytes, found {len(document)}", where=where)
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
        revision=root.words("revision"),
        timestamp=max(_number(entry, "timestamp", 0, where) for entry in entries.values()),
        files={kind: _file(entries[kind], kind, where) for kind in (PRIMARY, FILELISTS) if kind in entries},
    )


def check_age(found: Repomd, revision: str, timestamp: int, now: datetime, *, where: str) -> None:
    """Refuse metadata older than last time's (`revision`, `timestamp`), or from the future; raises TrustError."""
    if found.timestamp > (now + _AHEAD).timestamp():
        message = f"expected a date in the past, found {found.timestamp} seconds after 1970"
        raise TrustError(message, where=where, hint="is the clock right?")
    numbers = all(re.fullmatch("[0-9]{1,18}", text) for text in (found.revision, revision))
    if numbers and int(found.revision) != int(revision):
        older, was, found_as = int(found.revision) < int(revision), f"revision {revision}", found.revision
    else:
        older, was, found_as = found.timestamp < timestamp, f"timestamp {timestamp}", str(found.timestamp)
    if older:
        hint = "the mirror lags behind or replays: try again later, or another one"
        raise TrustError(f"expected metadata no older than {was}, found {found_as}", where=where, hint=hint)


def safe_location(path: str) -> bool:
    """Tell whether a path of the metadata stays below its repository, read plainly or with its %xx decoded."""
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
        size=_number(entry, "size", _MOST_FILE, where),
        plain=_checksum(entry, "open-checksum", kind, where),
        plain_size=_number(entry, "open-size", _MOST_FILE, where),
        exact=entry.first("size") is not None,
    )


def _compression(path: str, kind: str, where: str) -> str:
    ending = path.rpartition("/")[2].rpartition(".")[2]
    compression = "" if ending == "xml" else ending
    if compression not in SUPPORTED:
        known = ", ".join(filter(None, SUPPORTED))
        raise TrustError(f"expected {kind} plain or as one of {known}, found {path}", where=where)
    return compression


def _checksum(entry: Element, name: str, kind: str, where: str) -> Checksum | None:
    element = entry.first(name)
    if element is None:
        return None
    algorithm, value = element.attributes.get("type", ""), entry.words(name).lower()
    if algorithm not in STRONG:
        raise TrustError(f"expected a sha256 checksum of {kind} or a longer one, found {algorithm[:20]!r}", where=where)
    if not re.fullmatch(rf"[0-9a-f]{{{STRONG[algorithm]}}}", value):
        raise TrustError(f"expected a {algorithm} checksum of {kind}, found {value[:130]!r}", where=where)
    return Checksum(algorithm=algorithm, value=value)


def _number(entry: Element, name: str, default: int, where: str) -> int:
    if entry.first(name) is None:
        return default
    text = entry.words(name).partition(".")[0]  # the first createrepo wrote fractions of seconds
    if not re.fullmatch(r"[0-9]{1,12}", text):
        raise TrustError(f"expected a number in {name}, found {text[:40]!r}", where=where)
    number = int(text)
    if number > _MOST_FILE and name.endswith("size"):
        raise TrustError(f"expected files of at most {_MOST_FILE} bytes, found one of {number}", where=where)
    return number
