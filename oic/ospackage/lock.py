"""Reads a lock, which a user may have edited, into the values of `oic.ospackage.locked`.

* All fields must exist and have the right type, and no others may. An error is one line that names the entry.
* Texts have no control characters or surrogates; digests and fingerprints are hexadecimal.
* The sets are `image` and `tools`; a set has each package once, and the lock each repository once.
* The `url` of a package is that of its repository followed by its `location`.
* A lock of the format `OLDER` has no fingerprints and no indexes.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from msgspec import UNSET

from oic.errors import SolveError
from oic.ospackage.entry import Entry, climbs, short_repr
from oic.ospackage.locked import (
    FORMAT,
    AskedSet,
    Lock,
    LockedDocument,
    LockedKey,
    LockedPackage,
    LockedRepository,
    Request,
    Requirement,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "FORMAT",
    "AskedSet",
    "Lock",
    "LockedDocument",
    "LockedKey",
    "LockedPackage",
    "LockedRepository",
    "Request",
    "Requirement",
    "parse_json",
    "read_lock",
]

OLDER = 2
SETS, MEDIUM = ("image", "tools"), "medium"
"""The sets that every lock has, and the one of what an ISO boots."""

_FINGERPRINT = r"[0-9A-F]{40}|[0-9A-F]{64}"
_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]*"


def parse_json(text: str) -> Any:
    """Parse JSON; raises ValueError when it is invalid, nested too deeply, or has a duplicate key."""
    try:
        return json.loads(text, object_pairs_hook=_object)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        raise ValueError(f"duplicate key {short_repr(twice)}")
    return found


def read_lock(data: Any) -> Lock:
    """Return the `Lock` of a parsed ``lock.json``; raises SolveError that names the entry."""
    found = data.get("format") if isinstance(data, dict) else None
    if isinstance(found, bool) or found not in (FORMAT, OLDER):
        raise SolveError(f"expected a lock of format {FORMAT}, found {short_repr(found)}")
    older = found == OLDER
    whole = Entry(data, "the lock")
    whole.expect(*(() if older else ("indexes",)), "format", "request", "asked", "repositories", "sets")
    repositories = tuple(
        _repository(Entry(entry, f"repository {_label(entry, number)}"), older=older)
        for number, entry in enumerate(whole.list("repositories"), 1)
    )
    _check_unique((entry.name for entry in repositories), "the repositories")
    bases = {entry.name: entry.url for entry in repositories}
    sets = whole.mapping("sets")
    if {*sets} - {MEDIUM} != {*SETS}:
        raise whole.error("sets", f"expected {' and '.join(SETS)}", ", ".join(sorted(sets)))
    return Lock(
        request=whole.digest("request"),
        asked=_asked(Entry(whole.mapping("asked"), "the lock: asked")),
        repositories=repositories,
        sets={name: _set(name, Entry(sets, "the sets").list(name), bases) for name in sets},
        indexes={} if older else _indexes(whole.mapping("indexes"), bases),
    )


def _repository(entry: Entry, *, older: bool) -> LockedRepository:
    entry.expect("name", "url", "suite", "components", "signers", "keys", "trusted")

    def key(one: Entry) -> LockedKey:
        one.expect("url", "sha256", "size", *(() if older else ("fingerprints",)))
        known = () if older else _fingerprints(one, "fingerprints")
        return LockedKey(
            url=one.url("url", query=True), sha256=one.digest("sha256"), size=one.size("size"), fingerprints=known
        )

    return LockedRepository(
        name=entry.text("name", _NAME, "a repository's name"),
        url=entry.url("url"),
        suite=entry.text("suite"),
        components=entry.texts("components"),
        signers=_fingerprints(entry, "signers"),
        keys=entry.each("keys", key),
        trusted=entry.flag("trusted"),
    )


def _fingerprints(entry: Entry, field: str) -> tuple[str, ...]:
    return entry.texts(field, _FINGERPRINT, "fingerprints of 40 or 64 hexadecimal digits")


def _set(name: str, entries: list[Any], bases: dict[str, str]) -> tuple[LockedPackage, ...]:
    packages = tuple(
        _package(Entry(entry, f"package {_label(entry, number)} of {name}"), bases)
        for number, entry in enumerate(entries, 1)
    )
    _check_unique((package.name for package in packages), name)
    return packages


def _package(entry: Entry, bases: dict[str, str]) -> LockedPackage:
    texts = ("name", "version", "architecture", "repository", "location")
    entry.expect(*texts, "url", "size", "sha256", "essential", "requested", "requires")

    def requirement(one: Entry) -> Requirement:
        one.expect("kind", "relation", "package")
        return Requirement(kind=one.text("kind"), relation=one.text("relation"), package=one.text("package"))

    package = LockedPackage(
        **{field: entry.text(field) for field in texts},
        url=entry.url("url"),
        size=entry.size("size"),
        sha256=entry.digest("sha256"),
        essential=entry.flag("essential"),
        requested=entry.texts("requested"),
        requires=entry.each("requires", requirement),
    )
    if package.repository not in bases:
        raise entry.error("repository", "expected a repository of the lock", package.repository)
    base = bases[package.repository].rstrip("/") + "/"
    if not package.location or package.location.startswith("/") or climbs(package.location):
        raise entry.error("location", "expected a path below its repository", package.location)
    if not package.url.startswith(base) or unquote(package.url.removeprefix(base)) != unquote(package.location):
        raise entry.error("url", f"expected its location below {base}", package.url)
    return package


def _indexes(value: dict[str, Any], bases: dict[str, str]) -> dict[str, tuple[LockedDocument, ...]]:
    if strange := sorted(value.keys() - bases.keys()):
        raise SolveError(f"the indexes: expected those of the lock's repositories, found {short_repr(strange[0])}")

    def document(one: Entry) -> LockedDocument:
        one.expect("name", "url", "sha256", "size")
        return LockedDocument(
            name=one.text("name", _NAME, "a document's name"),
            url=one.url("url"),
            sha256=one.digest("sha256"),
            size=one.size("size"),
        )

    whole = Entry(value, "the indexes")
    found = {name: whole.each(name, document) for name in value}
    for name, documents in found.items():
        for entry in documents:
            if not entry.url.startswith(bases[name].rstrip("/") + "/"):
                raise whole.error(name, f"expected URLs below {bases[name]}", entry.url)
    return found


def _asked(asked: Entry) -> Request:
    """Return the request that the lock records; it is only compared and reported."""
    further = asked.expect("architecture", "recommends", "sets", optional=("repositories",))
    sets = asked.mapping("sets")
    return Request(
        architecture=asked.text("architecture"),
        recommends=asked.flag("recommends"),
        sets={name: _asked_set(Entry(one, f"the lock: asked: {short_repr(name)}")) for name, one in sets.items()},
        repositories=asked.text("repositories") if further else UNSET,
    )


def _asked_set(entry: Entry) -> AskedSet:
    narrowed = entry.expect("names", "essential", optional=("repositories",))
    return AskedSet(
        names=entry.texts("names"),
        essential=entry.flag("essential"),
        repositories=entry.texts("repositories") if narrowed else UNSET,
    )


def _check_unique(names: Iterable[str], where: str) -> None:
    twice = sorted(name for name, count in Counter(names).items() if count > 1)
    if twice:
        raise SolveError(f"{where}: duplicate {', '.join(twice)}")


def _label(entry: Any, number: int) -> str:
    """Return the label of an entry in messages: its name if that is text, otherwise its number."""
    name = entry.get("name") if isinstance(entry, dict) else None
    return short_repr(name) if isinstance(name, str) else str(number)
