"""A mistake as a user sees it: the message, and for one in a recipe the line it is on, with a caret below the place.

    error: edge.yml:7: systemConfig.hostnam: expected a known key, found 'hostnam'; did you mean 'hostname'?
        7 |   hostnam: box
          |   ^^^^^^^

* The place is found by the key path, in the file as YAML composes it; the file has been read and checked before.
* A line that may hold a password or a private key is not shown.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from oic.config.source import read_bytes
from oic.errors import OicError, one_line
from oic.tasks.output import Paint

if TYPE_CHECKING:
    from collections.abc import Iterator

_PROBLEM = re.compile(r"(?P<file>/[^\n]*?):(?P<line>\d+): (?:(?P<path>[A-Za-z_][\w-]*(?:[.\[][\w.\]\[-]*)?): )?")
_STEP = re.compile(r"\[(\d+)\]|([^.\[\]]+)")
_OF_KEYS = ("expected a known key", "expected each key once")
_CARET = re.compile(r" +\| +\^+")
_MAX_WIDTH = 160
_HIDDEN = re.compile(r"pas+w|pwd|secret|token|PRIVATE KEY|://[^/\\s]*@", re.IGNORECASE)
_LINES_OF_HIDDEN = 3
"""A value may stand on lines of its own below its key."""


def shown_mistake(text: str, stood_in: Path, paint: Paint) -> str:
    """Return the text of an error, of one or several problems, for the terminal or the log of whoever stands there."""
    return "\n".join([*_lines(text, stood_in, paint, paint.red("error: ")), ""])


def shown_failure(task: str, text: str, stood_in: Path) -> str:
    """Return the text of a task's failure without colours: the task, and what an error is shown as."""
    return f"{task} failed: " + "\n".join(_lines(text, stood_in, Paint(on=False), ""))


def painted_failure(line: str, paint: Paint) -> str:
    """Return a line of a failure in colours."""
    task, failed, rest = line.partition(" failed: ")
    if failed and " " not in task:
        return paint.red(task + failed) + rest
    return paint.red(line) if _CARET.fullmatch(line) else line


def _lines(text: str, stood_in: Path, paint: Paint, head: str) -> Iterator[str]:
    """Yield the lines of a text, each problem of a recipe after `head`, and with its line of the recipe below."""
    for number, line in enumerate(text.rstrip().splitlines()):
        problem = _PROBLEM.match(line)
        shown = from_here(line, stood_in) if problem or head else line
        yield (head if problem or not number else "") + shown
        if problem:
            at_key = any(word in line for word in _OF_KEYS)
            yield from _excerpt(Path(problem["file"]), int(problem["line"]), problem["path"] or "", at_key, paint)


def from_here(text: str, stood_in: Path) -> str:
    """Return a text with the paths below a directory written as whoever stands there writes them."""
    if stood_in == Path("/"):
        return text
    return re.sub(rf"(?<![\w/.-]){re.escape(str(stood_in))}/", "", text)


def _excerpt(file: Path, number: int, path: str, at_key: bool, paint: Paint) -> Iterator[str]:  # noqa: FBT001
    """Yield the line of a file, and a line that points into it; nothing for one that cannot be shown."""
    try:
        text = read_bytes(file).decode("utf-8")
    except (OicError, UnicodeDecodeError):
        return
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
