"""The line of a recipe that a mistake is on, and a caret below the place: found by the key path, as YAML composes it.

A line that may hold a password or a private key is not shown.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import yaml

from oic.errors import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from oic.tasks.output import Paint

_STEP = re.compile(r"\[(\d+)\]|([^.\[\]]+)")
_MAX_WIDTH = 160
_HIDDEN = re.compile(r"pas+w|pwd|secret|token|PRIVATE KEY|://[^/\\s]*@", re.IGNORECASE)
_LINES_OF_HIDDEN = 3
"""A value may stand on lines of its own below its key."""


def excerpt(text: str, number: int, path: str, at_key: bool, paint: Paint) -> Iterator[str]:  # noqa: FBT001
    """Yield the line of a text, and a line that points into it; nothing for one that cannot be shown."""
    lines = text.splitlines()
    if not 0 < number <= len(lines) or not (line := lines[number - 1]).strip() or len(line) > _MAX_WIDTH:
        return
    near = lines[max(number - _LINES_OF_HIDDEN, 0) : number]
    if any(_HIDDEN.search(one) for one in near):
        return
    at, length = _place(text, number, path, at_key) if path else (0, 0)
    if path and not length:
        return
    margin = f"    {number} | "
    yield paint.dim(margin) + one_line(line.expandtabs(1))
    if length:
        yield paint.dim(" " * (len(margin) - 2) + "| ") + " " * at + paint.red("^" * min(length, len(line) - at))


def _place(text: str, number: int, path: str, at_key: bool) -> tuple[int, int]:  # noqa: FBT001
    """Return the column and the length of what is at a key path, as far as that is on the line."""
    place = (0, 0)
    try:
        node = yaml.compose(text, Loader=yaml.CSafeLoader)
    except yaml.YAMLError:
        return place
    for index, key in _STEP.findall(path):
        found = _below(node, int(index) if index else key, number - 1)
        if found is None:
            break
        begin, node = found
        for one in (begin,) if at_key else (begin, node):
            if one.start_mark.line == number - 1:
                end = one.end_mark.column if one.end_mark.line == number - 1 else one.start_mark.column + 1
                place = (one.start_mark.column, end - one.start_mark.column)
    return place


def _below(node: yaml.Node | None, step: int | str, line: int) -> tuple[yaml.Node, yaml.Node] | None:
    """Return the key and the value, or twice the item, that one step of a key path leads to, on `line` if it can be."""
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step], node.value[step]
    if isinstance(node, yaml.MappingNode):
        found = [(key, value) for key, value in node.value if key.value == step]
        there = [pair for pair in found if pair[0].start_mark.line == line]
        return next(iter(there or found), None)
    return None
