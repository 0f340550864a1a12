"""Where in a recipe a stage's message is about: ``timezone: expected …`` → ``edge.yml:7: systemConfig.timezone: …``.

A stage knows its slice, not the lines that it came from. Its messages begin with the key path they are about, or with
the set of packages, and name the value; the recipe is read once more to find both.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from oic.config.variables import Variables
from oic.config.whole import read_whole
from oic.errors import OicError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from oic.config.source import Node
    from oic.config.whole import Whole

_OF_SYSTEM = re.compile(
    r"(?P<path>services\.(?:enable|disable|mask)|timezone|locale|keymap|users|additionalFiles|configurations)"
    r"(?:\[(?P<number>\d+)\])?: (?P<text>.+)"
)
_OF_SERIES = re.compile(r"(?:image: )?(?P<text>expected .+\(systemConfig\.kernel\.version says which\))")
_OF_PARTITION = re.compile(r"(?P<text>the files of (?P<at>/\S*) do not fit .+)")
_OF_PACKAGES = re.compile(r"image: (?P<text>.+)")
_NAME_OF_SPEC = re.compile(r"[=_:]")
_NAME = re.compile(r"[A-Za-z0-9*?\[][\w+.*?\[\]^-]*")
_FORMS = (_OF_SYSTEM, _OF_SERIES, _OF_PARTITION, _OF_PACKAGES)


def with_lines(message: str, recipe: Path) -> str:
    """Return a message, each line of it that is about a value of the recipe with that value's file, line and path."""
    lines = message.split("\n")
    if not any(form.fullmatch(line) for line in lines for form in _FORMS):
        return message
    try:
        whole = read_whole(recipe, Variables({}, os.environ), [])
    except OicError:  # the recipe has changed meanwhile
        return message
    return "\n".join(_placed(line, whole) for line in lines)


def _placed(line: str, whole: Whole) -> str:
    tree, system = whole.tree, whole.tree.get("systemConfig")
    node: Node | None
    if match := _OF_SYSTEM.fullmatch(line):
        node = system.get(*match["path"].split("."))
        numbered = node.items[int(match["number"]) :] if match["number"] else []
        node = numbered[0] if numbered else _named(node, match["text"])
    elif match := _OF_SERIES.fullmatch(line):
        node = system.get("kernel", "version")
    elif match := _OF_PARTITION.fullmatch(line):
        mounted = [one for one in tree.get("disk", "partitions").items if one.get("mountPoint").text == match["at"]]
        node = next(iter(mounted), tree.get("disk"))
    elif match := _OF_PACKAGES.fullmatch(line):
        node = _package_in(match["text"], whole.recipe.get("systemConfig"))
    else:
        return line
    return node.said(match["text"]) if node and node.value is not None else line


def _package_in(text: str, system: Node) -> Node | None:
    """Return the entry of a recipe without its defaults that asks for a package which a text names, if there is one."""
    asked = (*system.get("packages").items, *system.get("kernel", "packages").items)
    nodes = {_NAME_OF_SPEC.split(node.text)[0]: node for node in reversed(asked) if node.text}
    words = _NAME.findall(text.partition(" (")[0])
    return next((nodes[word] for word in words if word in nodes), None)


def _named(node: Node, text: str) -> Node:
    """Return the longest value below a node that a text names, else the node."""
    named = [one for one in _leaves(node) if re.search(rf"(?<![\w/.-]){re.escape(one.text)}(?![\w/-])", text)]
    return max(named, key=lambda one: len(one.text), default=node)


def _leaves(node: Node) -> Iterator[Node]:
    if node.text and not node.path.endswith("password"):
        yield node
    for below in (*node.entries.values(), *node.items):
        yield from _leaves(below)
