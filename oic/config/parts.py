"""A recipe, the templates it extends and the parts it includes, each read and parsed once.

* ``extends`` names one parent, in the directory of the file that names it or below, behind no symbolic link. Parents
  may have parents. Every level has the same ``target``.
* ``include`` names any number of parts, relative to the file that names them. A part may include parts.
* The order is from lowest to highest: the parent, then the parts, then the file that names both.
* A file that leads back to itself is refused; one that is reached in two ways counts once, the first time.
* A parent gives neither ``image`` nor ``target`` nor ``metadata``, which are the recipe's own.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from oic.config.source import Node, read_bytes
from oic.config.trees import parse
from oic.errors import RecipeError
from oic.values import Value

if TYPE_CHECKING:
    from oic.config.variables import Variables

    Problems = list[tuple[Node, str]]

TARGET_KEYS = ("os", "dist", "arch", "imageType")
_OF_THE_RECIPE = frozenset({"image", "target", "metadata", "default", "lock", "extends"})
_MOST_LEVELS = 100
_MAY_BE_EMPTY = ("disk", "systemConfig")


class Part(Value):
    """One file: its bytes and its tree with variables replaced; `is_parent` for a template that is extended."""

    data: bytes
    tree: Node
    is_parent: bool = False

    @property
    def inherited(self) -> Node:
        """What of the tree the recipe is laid over: of a parent, not what is each recipe's own."""
        if not self.is_parent:
            return self.tree
        kept = {key: value for key, value in self.tree.entries.items() if key not in _OF_THE_RECIPE}
        return Node(kept, self.tree.file, self.tree.line, self.tree.path)


class _Reader(Value):
    variables: Variables
    problems: Problems
    parts: dict[Path, Part]
    kept: Path | None

    def read(self, path: Path, chain: tuple[Path, ...], *, is_parent: bool, is_part: bool) -> None:
        data = read_bytes(path)
        tree = without_empty(self.variables.substituted(parse(data, path, self.kept)))
        chain = (*chain, _real(path))
        extends = tree.get("extends")
        if is_part and extends.value is not None:
            self.problems.append((extends, "expected a part without a parent, found extends; only recipes extend"))
        elif extends.text:
            self._read_parent(extends, path, chain)
        for item in tree.get("include").items:
            if item.text:
                included = Path(os.path.normpath(path.parent / item.text))
                self._read_below(item, included, chain, is_parent=False)
        self.parts[_real(path)] = Part(data=data, tree=tree, is_parent=is_parent)

    def _read_parent(self, node: Node, path: Path, chain: tuple[Path, ...]) -> None:
        parent = Path(os.path.normpath(path.parent / node.text))
        if Path(node.text).is_absolute() or not parent.is_relative_to(os.path.normpath(path.parent)):
            self.problems.append(
                (node, f"expected a template in this file's directory or below, found '{node.text}'; include takes any")
            )
        elif _real(parent) != _real(path.parent) / parent.relative_to(os.path.normpath(path.parent)):
            self.problems.append((node, f"expected a template itself, found a symbolic link on the way to {node.text}"))
        else:
            self._read_below(node, parent, chain, is_parent=True)

    def _read_below(self, node: Node, path: Path, chain: tuple[Path, ...], *, is_parent: bool) -> None:
        thing = "templates that do not extend" if is_parent else "parts that do not include"
        if _real(path) in chain:
            way = " → ".join(one.name for one in (*chain, path))
            self.problems.append((node, f"expected {thing} each other, found a circle: {way}"))
        elif len(chain) > _MOST_LEVELS:
            self.problems.append((node, f"expected at most {_MOST_LEVELS} {thing} each other in a row, found more"))
        elif _real(path) not in self.parts:
            try:
                self.read(path, chain, is_parent=is_parent, is_part=not is_parent)
            except RecipeError as error:
                wanted = "a template" if is_parent else "a part"
                self.problems.append((node, f"expected {wanted} that can be read, found: {error}"))


def read_parts(recipe: Path, variables: Variables, problems: Problems, kept: Path | None = None) -> list[Part]:
    """Read a recipe and all it is made of, the recipe last; raises RecipeError when the recipe cannot be parsed.

    `kept` is where the trees of files that were read before are, as for all that read files here.
    """
    reader = _Reader(variables=variables, problems=problems, parts={}, kept=kept)
    reader.read(recipe, (), is_parent=False, is_part=False)
    return list(reader.parts.values())


def target_problems(parts: list[Part], target: Node) -> Problems:
    """Say which parents are for another target than the recipe."""
    found: Problems = []
    wanted = _target(target)
    for part in parts:
        theirs = part.tree.get("target")
        if part.is_parent and all(wanted) and _target(theirs) != wanted:
            said = "/".join(_target(theirs)) if theirs.entries else "none"
            message = f"expected the target of every template that is extended to be the recipe's, {'/'.join(wanted)}"
            found.append((theirs, f"{message}, found {said}"))
    return found


def without_empty(tree: Node) -> Node:
    """Return the tree without a ``disk`` or ``systemConfig`` that is empty: it counts as absent."""
    kept = {
        key: value for key, value in tree.entries.items() if key not in _MAY_BE_EMPTY or value.value not in (None, {})
    }
    return Node(kept, tree.file, tree.line, tree.path)


def _target(node: Node) -> tuple[str, ...]:
    return tuple(node.get(key).text for key in TARGET_KEYS)


def _real(path: Path) -> Path:
    """Return the file behind links; for one that leads to itself, pathlib has an error of its own."""
    return Path(os.path.realpath(path))
