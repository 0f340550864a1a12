"""A mistake as a user sees it: the message, and for one in a recipe the line it is on, with a caret below the place.

    error: edge.yml:7: systemConfig.hostnam: expected a known key, found 'hostnam'; did you mean 'hostname'?
        7 |   hostnam: box
          |   ^^^^^^^

The line and the caret are those of `oic.tasks.carets`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from oic.config.source import read_bytes
from oic.errors import OicError
from oic.tasks.output import Paint

if TYPE_CHECKING:
    from collections.abc import Iterator

_PROBLEM = r"(?P<file>/[^\n]*?):(?P<line>\d+): (?:(?P<path>[A-Za-z_][\w-]*(?:[.\[][\w.\]\[-]*)?): )?"
_OF_KEYS = ("expected a known key", "expected each key once")
_CARET = r" +\| +\^+"


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
    return paint.red(line) if re.fullmatch(_CARET, line) else line


def _lines(text: str, stood_in: Path, paint: Paint, head: str) -> Iterator[str]:
    """Yield the lines of a text, each problem of a recipe after `head`, and with its line of the recipe below."""
    for number, line in enumerate(text.rstrip().splitlines()):
        problem = re.match(_PROBLEM, line)
        shown = from_here(line, stood_in) if problem or head else line
        yield (head if problem or not number else "") + shown
        if problem:
            from oic.tasks.carets import excerpt  # noqa: PLC0415 - it parses YAML, which is slow to import

            at_key = any(word in line for word in _OF_KEYS)
            yield from excerpt(_text(Path(problem["file"])), int(problem["line"]), problem["path"] or "", at_key, paint)


def _text(file: Path) -> str:
    """Return the text of a recipe; nothing when it can no longer be read."""
    try:
        return read_bytes(file).decode("utf-8")
    except (OicError, UnicodeDecodeError):
        return ""


def from_here(text: str, stood_in: Path) -> str:
    """Return a text with the paths below a directory written as whoever stands there writes them."""
    if stood_in == Path("/"):
        return text
    return re.sub(rf"(?<![\w/.-]){re.escape(str(stood_in))}/", "", text)
