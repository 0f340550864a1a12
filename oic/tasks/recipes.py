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


def find_recipes(names: Sequence[str], stood_in: Path, shelf: Path | None) -> list[Path]:
    """Return the recipes of these names; without names, those of the shelf that say ``default: true``.

    Raises OicError.
    """
    if not names:
        return [path for path in _on(shelf) if is_default(path)]
    found = [_find(name, stood_in, shelf) for name in names]
    images: dict[str, Path] = {}
    for path in found:
        other = images.setdefault(path.stem, path)
        if other is not path:
            said = f"{path} twice" if other.resolve() == path.resolve() else f"{other} and {path}"
            raise OicError(f"expected recipes of different names, as each names its image, found {said}")
    return found


def candidates(name: str, stood_in: Path, shelf: Path | None) -> list[Path]:
    """Return the files that a name could mean."""
    places = [stood_in / name]
    if shelf and "/" not in name:
        places.append(shelf / name)
    files = (place.with_name(place.name + ending) for place in places if place.name for ending in _ENDINGS)
    return list({path.resolve(): path for path in files if os.path.isfile(path)}.values())


def _find(name: str, stood_in: Path, shelf: Path | None) -> Path:
    found = candidates(name, stood_in, shelf)
    if len(found) > 1:
        both = " and ".join(map(str, found))
        raise OicError(f"{name} could be two recipes, {both}", hint=f"say ./{name} or a whole path")
    if not found:
        there = [path.stem for path in _on(shelf)]
        known = f" (there: {', '.join(there)})" if there else ""
        near = did_you_mean(name.removesuffix(".yml"), [*there, *(path.stem for path in _on(stood_in))])
        where = " or in recipes/" if shelf and "/" not in name else ""
        raise OicError(f"expected a recipe, found no file {name} here{where}{known}{near}")
    return found[0]


def _on(directory: Path | None) -> Iterable[Path]:
    return sorted(directory.glob("*.yml")) if directory else ()
