"""The files of a recipe → one tree, over the distribution's defaults or without them.

    defaults ─┐
    extends ──┼─ merged ─> the whole recipe
    include ──┤
    recipe ───┘

The defaults are left out where the recipe says ``defaults: false``, and where it is an overlay on a finished image.
"""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING

from oic.config.assemble import target_of
from oic.config.distribution import DistributionData, known_distributions, read_distribution
from oic.config.merge import merged
from oic.config.parts import read_parts, target_problems
from oic.config.schema import did_you_mean
from oic.config.variables import Variables
from oic.values import Value

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from oic.config.parts import Part
    from oic.config.source import Node

    Problems = list[tuple[Node, str]]


class Whole(Value):
    """`parts` are the files, the recipe last; `recipe` is these merged, `tree` that over the defaults."""

    parts: tuple[Part, ...]
    data: DistributionData
    recipe: Node
    tree: Node


def read_whole(path: Path, variables: Variables, problems: Problems, kept: Path | None = None) -> Whole:
    """Read a recipe and merge all it is made of; raises RecipeError when a file cannot be parsed at all."""
    parts = read_parts(path, variables, problems, kept)
    problems += variables.problems
    recipe = functools.reduce(merged, (part.inherited for part in parts))
    data = _distribution_data(recipe, problems, kept)
    problems += target_problems(parts, recipe.get("target"))
    over_defaults = data.defaults is not None and recipe.get("defaults").value is not False and not is_overlay(recipe)
    tree = merged(data.defaults, recipe) if data.defaults and over_defaults else recipe
    return Whole(parts=tuple(parts), data=data, recipe=recipe, tree=tree)


def inherited_packages(path: Path) -> tuple[str, ...]:
    """Return the packages that a recipe has from its defaults, a parent or a part, for a message about them."""
    whole = read_whole(path, Variables({}, os.environ), [])
    own = whole.parts[-1].tree.get("systemConfig", "packages").texts
    return tuple(name for name in whole.tree.get("systemConfig", "packages").texts if name not in own)


def is_overlay(tree: Node) -> bool:
    """Tell whether a recipe builds onto a finished image."""
    return tree.get("baseline", "mode").text == "overlay"


def _distribution_data(tree: Node, problems: Problems, kept: Path | None) -> DistributionData:
    """Read the data of the target's distribution; without a sane target there is none."""
    target = tree.get("target")
    for key in ("image", "target"):
        if tree.get(key).value is None:
            wanted = "name and version" if key == "image" else "os, dist, arch and imageType"
            problems.append((tree.get(key), f"expected a mapping of {wanted}, found nothing"))
    os_, dist = target.get("os"), target.get("dist")
    name, known = f"{os_.text}/{dist.text}", known_distributions()
    if name in known:
        return read_distribution(target_of(tree), kept)
    if os_.text and dist.text:
        systems = {one.partition("/")[0] for one in known}
        if os_.text in systems:
            words = [one.partition("/")[2] for one in known if one.startswith(f"{os_.text}/")]
            problems.append((dist, _unknown("a distribution", dist.text, words)))
        else:
            problems.append((os_, _unknown("an operating system", os_.text, sorted(systems))))
    return DistributionData(id=name, facts=None, defaults=None, content=())


def _unknown(thing: str, found: str, words: Sequence[str]) -> str:
    return f"expected {thing} out of {', '.join(words)}, found '{found}'{did_you_mean(found, words)}"
