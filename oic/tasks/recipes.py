"""Which recipe files the words of a command line name.

* A name is looked for where the user stands, then in the clone's ``recipes/``; ``.yml`` and ``.yaml`` may be left out.
* Two files that one word could mean are refused, and so are two recipes whose images would have one name.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from oic.config.final import is_default
from oic.config.schema import did_you_mean
from oic.errors import OicError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

_ENDINGS = ("", ".yml", ".yaml")


def find_recipes(names: Sequence[str], stood_in: Path, shelf: Path | None, validated: Path | None = None) -> list[Path]:
    """Return the recipes of these names; without names, those of the shelf that say ``default: true``.

    Raises OicError.
    """
    if not names:
        return [path for path in _on(shelf) if is_default(path, validated)]
    found = [_find(name, stood_in, shelf) for name in names]
    images: dict[str, Path] = {}
    for path in found:
        other = images.setdefault(path.stem, path)
        if other is not path:
            said = f"{path} twice" if other.resolve() == path.resolve() else f"{other} and {path}"
            raise OicError(f"expected recipes of different names, as each names its image, found {said}")
    return found


def candidates(name: str, stood_in: Path, shelf: Path | None) -> list[Path]:
    """Return the files that a name could mean; in each place, the file of exactly that name comes before others."""
    places = [stood_in / name]
    if shelf and "/" not in name:
        places.append(shelf / name)
    files = [path for place in places if place.name for path in _at(place)]
    return list({path.resolve(): path for path in files}.values())


def _at(place: Path) -> list[Path]:
    found = [path for ending in _ENDINGS if os.path.isfile(path := place.with_name(place.name + ending))]
    return found[:1] if found[:1] == [place] else found


def _find(name: str, stood_in: Path, shelf: Path | None) -> Path:
    found = candidates(name, stood_in, shelf)
    if len(found) > 1:
        both = " and ".join(map(str, found))
        raise OicError(f"{name} could be two recipes, {both}", hint=f"say {' or '.join(_said(found, stood_in))}")
    if not found and name and (stood_in / name).exists():
        kind = "a directory" if (stood_in / name).is_dir() else "no regular file"
        raise OicError(f"expected a recipe, found {kind}: {name}")
    if not found:
        there = [path.stem for path in _on(shelf)]
        known = f" (there: {', '.join(there)})" if there else ""
        near = did_you_mean(name.removesuffix(".yml"), [*there, *(path.stem for path in _on(stood_in))])
        where = " or in recipes/" if shelf and "/" not in name else ""
        raise OicError(f"expected a recipe, found no file {name} here{where}{known}{near}")
    return found[0]


def _said(found: Iterable[Path], stood_in: Path) -> Iterable[str]:
    """Return a word for each file that could mean no other."""
    return (f"./{path.relative_to(stood_in)}" if path.is_relative_to(stood_in) else str(path) for path in found)


def _on(directory: Path | None) -> Iterable[Path]:
    found = [*directory.glob("*.yml"), *directory.glob("*.yaml")] if directory else ()
    return sorted(path for path in found if path.is_file())
