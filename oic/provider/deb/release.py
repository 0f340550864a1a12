"""Read a Release file: what a repository's signed text says about itself and its indexes.

* Only the SHA256 section is read; MD5Sum and SHA1 are ignored.
* Dates have the format of RFC 5322 (DebianRepository/Format in Debian's wiki).
"""

from __future__ import annotations

import email.utils
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from oic.deb822 import fields_of
from oic.errors import TrustError
from oic.provider.age import refuse_future
from oic.values import Bytes, Digest

if TYPE_CHECKING:
    from collections.abc import Mapping

_FILE = re.compile(r"([0-9a-f]{64})\s+([0-9]{1,15})\s+(\S+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexFile:
    """A file that the Release lists; its path is relative to the Release file."""

    path: str
    sha256: Digest
    size: Bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """The fields that are used; `separate_all` says that packages of Architecture all have an index of their own."""

    suite: str
    codename: str
    date: datetime
    valid_until: datetime | None
    by_hash: bool
    components: tuple[str, ...]
    architectures: tuple[str, ...]
    separate_all: bool
    files: Mapping[str, IndexFile]


def parse_release(text: str, *, where: str) -> Release:
    """Return the values of a Release file; raises TrustError."""
    fields = fields_of(text, where=where)
    listed = fields.get("sha256", "").strip()
    if not listed:
        raise TrustError("expected a SHA256 section, found none", where=where)
    files = [_index_file(line, where) for line in listed.split("\n")]
    return Release(
        suite=fields.get("suite", ""),
        codename=fields.get("codename", ""),
        date=_date(fields, "date", where),
        valid_until=_date(fields, "valid-until", where) if "valid-until" in fields else None,
        by_hash=fields.get("acquire-by-hash") == "yes",
        components=tuple(fields.get("components", "").split()),
        architectures=tuple(fields.get("architectures", "").split()),
        separate_all="all" in fields.get("architectures", "").split()
        and fields.get("no-support-for-architecture-all") != "Packages",
        files={file.path: file for file in files},
    )


def is_flat(suite: str) -> bool:
    """Tell whether the suite is the directory of a flat repository."""
    return suite.endswith("/")


def check_suite(release: Release, suite: str, *, where: str) -> None:
    """Raise TrustError when this is not the requested suite; a flat repository has the name of none."""
    if is_flat(suite):
        return
    if suite not in (release.suite, release.codename):
        found = " alias ".join(name for name in (release.suite, release.codename) if name) or "no name"
        raise TrustError(f"expected suite {suite}, found {found}", where=where)


def check_release(release: Release, suite: str, now: datetime, *, where: str) -> None:
    """Raise TrustError for another suite, for an index from the future, and for one past its Valid-Until."""
    check_suite(release, suite, where=where)
    refuse_future(release.date.timestamp(), now, found=f"{release.date:%Y-%m-%d %H:%M}", where=where)
    if release.valid_until and release.valid_until < now:
        hint = "the mirror is out of date, or the clock is wrong"
        raise TrustError(
            f"expected metadata that is valid now, found it valid until {release.valid_until:%Y-%m-%d %H:%M}",
            where=where,
            hint=hint,
        )


def _index_file(line: str, where: str) -> IndexFile:
    match = _FILE.fullmatch(line)
    if not match or match[3].startswith("/") or ".." in match[3].split("/"):
        raise TrustError(f"expected a sha256, a size and a path, found {line[:120]!r}", where=where)
    return IndexFile(path=match[3], sha256=Digest(match[1]), size=Bytes(int(match[2])))


def _date(fields: dict[str, str], name: str, where: str) -> datetime:
    value = fields.get(name, "")
    try:
        date = email.utils.parsedate_to_datetime(value)
        return date.astimezone(UTC) if date.tzinfo else date.replace(tzinfo=UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        raise TrustError(f"expected a date in {name.title()}, found {value[:80]!r}", where=where) from None
