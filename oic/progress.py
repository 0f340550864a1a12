"""Work under way, made visible.

    a stage ── note, progress, doing ──┬─> the display of the command's terminal, through a pipe
                                       └─> plain lines on standard error, where there is no terminal

* Every process of a build has the pipe; what it writes is small enough to arrive whole (pipe(7)). Nobody waits for the
  display: what finds no room is left out, but for lines, which wait a second.
* Every function may be called from any thread.
* What is below the level that the user asked for is not told. A failure is of the level error, a note of warning, what
  programs print of debug, everything else of info.
"""

from __future__ import annotations

import contextlib
import os
import select
import sys
import time
from typing import TYPE_CHECKING

import msgspec

from oic.errors import one_line, printable

if TYPE_CHECKING:
    from collections.abc import Callable

REDRAWN_EVERY = 0.1
"""How many seconds pass at least between two pictures of one thing."""
_MAX_TEXT = 500
_MAX_LINE = 3000
ERRORS, WARNINGS, INFO, DEBUG = range(4)
_LEVELS = {"failed": ERRORS, "note": WARNINGS, "printed": DEBUG}


class Line(msgspec.Struct, frozen=True, tag="line"):
    """A line that stays; `kind` is what it is: done, reused, note, failed, printed, or nothing special."""

    text: str
    kind: str = ""


class Started(msgspec.Struct, frozen=True, tag="started"):
    """A task that begins, and what it is called."""

    task: str
    name: str


class Doing(msgspec.Struct, frozen=True, tag="doing"):
    """What a task is doing: `done` of `total` things, or bytes where `unit` is B; a total of 0 is not known."""

    task: str
    text: str
    done: int = 0
    total: int = 0
    unit: str = ""


class Ended(msgspec.Struct, frozen=True, tag="ended"):
    """A task that has ended."""

    task: str


class Closed(msgspec.Struct, frozen=True, tag="closed"):
    """The last event."""


Event = Line | Started | Doing | Ended | Closed


class _Outlets:
    """Where this process and its children tell: the display's pipe, the file that collects notes, the task at work."""

    pipe = -1
    notes = -1
    task = ""
    time = 0.0
    level = INFO
    worded: Callable[[str], str] = staticmethod(str)


def connect(pipe: int, notes: int) -> None:
    """Have events written to a pipe (-1: plain lines), and notes to a file that the command reads in the end."""
    _Outlets.pipe, _Outlets.notes = pipe, notes


def set_level(level: int) -> None:
    """Tell what is of this level (`ERRORS` to `DEBUG`) or below."""
    _Outlets.level = level


def set_wording(worded: Callable[[str], str]) -> None:
    """Have each line told as a function words it: with the commands as the user says them."""
    _Outlets.worded = staticmethod(worded)


def worded(text: str) -> str:
    """Return a text as it is told."""
    return _Outlets.worded(text)


def is_told(kind: str) -> bool:
    """Tell whether lines of a kind are shown."""
    return _LEVELS.get(kind, INFO) <= _Outlets.level


def begin(task: str) -> None:
    """Say which task this process works at from now on: the display knows, elsewhere it is a line."""
    _Outlets.task = task
    if task and _Outlets.pipe < 0:
        tell(f".  {task}")


def send(event: Event) -> None:
    """Hand an event to the display."""
    data = msgspec.json.encode(event) + b"\n"
    try:
        os.write(_Outlets.pipe, data)
    except BlockingIOError:
        if isinstance(event, Line) and select.select([], [_Outlets.pipe], [], 1)[1]:
            with contextlib.suppress(BlockingIOError):
                os.write(_Outlets.pipe, data)
    except BrokenPipeError:
        _Outlets.pipe = -1


def tell(text: str, kind: str = "") -> None:
    """Show a line that stays."""
    if not is_told(kind):
        return
    text = text if kind == "printed" else worded(text)
    if _Outlets.pipe >= 0:
        for line in printable(text).splitlines():
            send(Line(text=line[:_MAX_LINE], kind=kind))
    else:
        sys.stderr.write(f"{printable(text)}\n")
        sys.stderr.flush()


def tell_at_once(text: str) -> None:
    """Show a line from within a signal handler, where the standard streams may be in use."""
    if _Outlets.pipe >= 0:
        send(Line(text=text))
    else:
        os.write(2, f"\n{text}\n".encode())


def note(text: str) -> None:
    """Tell what a user should know of a build that goes on."""
    tell(f"note: {text}", "note")
    if _Outlets.notes >= 0:
        os.write(_Outlets.notes, msgspec.json.encode(Line(text=one_line(text), kind=_Outlets.task)) + b"\n")


def printed(line: str) -> None:
    """Show a line that a program printed, with the stage that runs it."""
    tell(f"  {_Outlets.task.partition(':')[0]:9} | {line}", "printed")


def task_drawn() -> str | None:
    """Return the task at work, if a display shows it."""
    return _Outlets.task if _Outlets.pipe >= 0 else None


def doing(text: str, done: int = 0, total: int = 0) -> None:
    """Show what the task at work is doing now, ten times a second at most; without a terminal nothing is said."""
    if _Outlets.pipe >= 0 and _Outlets.task and time.monotonic() >= _Outlets.time + REDRAWN_EVERY:
        _Outlets.time = time.monotonic()
        send(Doing(task=_Outlets.task, text=one_line(text)[:_MAX_TEXT], done=done, total=total))
