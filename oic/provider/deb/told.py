"""How apt in an image is told of the recipe's repositories, so that it takes what the build would take.

* A source file for each, in the deb822 style (sources.list(5)), with its own keys alone (``Signed-By``).
* Its priority and its allowed packages as preferences (apt_preferences(5)). A record is for the host of the URL, or for
  the suite where two repositories are on one host. Nothing else tells repositories apart there.
* apt has no affinity, and takes no part of a version together with a repository: of ``name_1.2`` it gets the name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from oic.provider.armor import as_binary

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from oic.provider.told import ToldRepository

_BASE = 500
_SOURCES = "/etc/apt/sources.list.d/{name}.sources"
_PREFERENCES = "/etc/apt/preferences.d/image"


def recipe_sources(told: Sequence[ToldRepository]) -> dict[str, str]:
    """Return the text of each file by its path."""
    files = {_SOURCES.format(name=one.name): _source(one) for one in told}
    records = [record for one in told for record in _records(one, told)]
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


def _records(one: ToldRepository, told: Sequence[ToldRepository]) -> Iterator[str]:
    if one.priority == _BASE and not one.allow_packages:
        return
    pin = f"Pin: {_pin(one, told)}\nPin-Priority: "
    if not one.allow_packages:
        yield f"Package: *\n{pin}{one.priority}\n"
        return
    names = dict.fromkeys(word.partition("_")[0] for word in one.allow_packages)
    yield f"Package: {' '.join(names)}\n{pin}{one.priority}\n"
    yield f"Package: *\n{pin}-1\n"


def _pin(one: ToldRepository, told: Sequence[ToldRepository]) -> str:
    host = urlsplit(one.url).hostname or ""
    alone = [urlsplit(other.url).hostname for other in told].count(host) == 1
    return f'origin "{host}"' if alone or one.suite.endswith("/") else f"release {one.suite}"
