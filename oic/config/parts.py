"""A recipe and the parts it includes, each read and parsed once.

* ``include`` paths are relative to the file that names them; a part may include parts.
* The order is from lowest to highest: a file comes after what it includes, the recipe is last.
* A file that includes itself, by whatever way, is refused; one included by two ways counts once, the first time.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from oic.config.source import Node, parse, read_bytes
from oic.errors import RecipeError

if TYPE_CHECKING:
    from oic.config.variables import Variables


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One file: its bytes and its tree with variables replaced."""

    data: bytes
    tree: Node


def read_parts(recipe: Path, variables: Variables, problems: list[tuple[Node, str]]) -> list[Part]:
    """Read a recipe and all it includes, the recipe last; raises RecipeError when the recipe cannot be parsed."""
    parts: dict[Path, Part] = {}
    _read(recipe, (), variables, parts, problems)
    return list(parts.values())


def _read(
    path: Path, above: tuple[Path, ...], variables: Variables, parts: dict[Path, Part], problems: list[tuple[Node, str]]
) -> None:
    data = read_bytes(path)
    tree = variables.substituted(parse(data, path))
    chain = (*above, _real(path))
    for item in tree.get("include").items:
        if not item.text:
            continue
        included = Path(os.path.normpath(path.parent / item.text))
        if _real(included) in chain:
            way = " → ".join(one.name for one in (*chain, included))
            problems.append((item, f"expected parts that do not include each other, found a circle: {way}"))
        elif _real(included) not in parts:
            try:
                _read(included, chain, variables, parts, problems)
            except RecipeError as error:
                problems.append((item, f"expected a part that can be read, found: {error}"))
    parts[_real(path)] = Part(data=data, tree=tree)


def _real(path: Path) -> Path:
    """Return the file behind links; for one that leads to itself, pathlib has an error of its own."""
    return Path(os.path.realpath(path))
