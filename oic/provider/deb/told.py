"""How apt in an image is told of the recipe's repositories, so that it takes what the build would take.

* A source file for each, in the deb822 style (sources.list(5)), with its own keys alone (``Signed-By``).
* Its priority and its allowed packages as preferences (apt_preferences(5)). A record is for the host of the URL or,
  where another repository of the image is on that host, for the suite. One that shares both has no record: it would be
  the other's as well.
* apt has no affinity, and takes no part of a version together with a repository: of ``name_1.2`` and ``name-1.2`` it
  gets the name.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from oic.provider.armor import as_binary

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from oic.ospackage.lock import LockedRepository
    from oic.provider.told import ToldRepository

_BASE = 500
_GLOB = re.compile(r"[*?\[]")
_VERSION = re.compile(r"-(?=\d)[^-]*(-[^-]*)?$")
_SOURCES = "/etc/apt/sources.list.d/{name}.sources"
_PREFERENCES = "/etc/apt/preferences.d/image"


def recipe_sources(
    _root: Path, told: Sequence[ToldRepository], repositories: Sequence[LockedRepository]
) -> dict[str, str]:
    """Return the text of each file by its path; `repositories` are all that the image was built from."""
    files = {_SOURCES.format(name=one.name): _source(one) for one in told}
    records = [record for one in told for record in _records(one, repositories)]
    return {**files, **({_PREFERENCES: "\n".join(records)} if records else {})}


def key_path(name: str) -> str:
    """Return where apt of an image finds a key of a recipe's repository."""
    return f"/etc/apt/keyrings/{name}.gpg"


def key_file(body: bytes, *, where: str) -> bytes:
    """Return a key file as apt wants one that ends in ``.gpg``."""
    return as_binary(body, where=where)


def _source(one: ToldRepository) -> str:
    lines = ["Types: deb", f"URIs: {one.url}", f"Suites: {one.suite}"]
    lines += [f"Components: {' '.join(one.components)}"] if one.components else []
    lines += ["Trusted: yes"] if one.trusted else [f"Signed-By: {' '.join(map(key_path, one.key_names()))}"]
    return "\n".join([*lines, ""])


def _records(one: ToldRepository, repositories: Sequence[LockedRepository]) -> Iterator[str]:
    which = _pin(one, [other for other in repositories if other.name != one.name])
    if not which or (one.priority == _BASE and not one.allow_packages):
        return
    pin = f"Pin: {which}\nPin-Priority: "
    if not one.allow_packages:
        yield f"Package: *\n{pin}{one.priority}\n"
        return
    names = dict.fromkeys(name for word in one.allow_packages for name in _names(word))
    yield f"Package: {' '.join(names)}\n{pin}{one.priority}\n"
    yield f"Package: *\n{pin}-1\n"


def _names(word: str) -> Sequence[str]:
    """Return what apt can be told of an allowed package: of ``name-1.2``, which may be a name itself, both readings."""
    name, _, version = word.partition("_")
    stem = _VERSION.sub("", name) if not version and not _GLOB.search(name) else name
    return (name, stem)


def _pin(one: ToldRepository, others: Sequence[LockedRepository]) -> str:
    """Return what matches this repository and none of the others; empty where nothing does."""
    host = urlsplit(one.url).hostname
    if host not in {urlsplit(other.url).hostname for other in others}:
        return f'origin "{host}"'
    if one.suite.endswith("/") or one.suite in {other.suite for other in others}:
        return ""
    return f"release {one.suite}"
