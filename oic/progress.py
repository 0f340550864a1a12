"""Work under way, made visible.

    a stage ── note, progress, doing ──┬─> the display of the command's terminal, through a pipe
                                       └─> plain lines on standard error, where there is no terminal

* Every process of a build has the pipe; what it writes is small enough to arrive whole (pipe(7)). Nobody waits for the
  display: what finds no room is left out, but for lines, which wait a second.
* Every function may be called from any thread.
"""

from __future__ import annotations

import contextlib
import os
import select
import sys
import threading
import time
from typing import TYPE_CHECKING, Protocol, TextIO

import msgspec

from oic.errors import one_line, printable

if TYPE_CHECKING:
    from collections.abc import Iterator

EVERY_PERCENT = 10
EVERY_SECONDS = 10.0
_REDRAWN_EVERY = 0.1
_MAX_TEXT = 500
_MAX_LINE = 3000


class Line(msgspec.Struct, frozen=True, tag="line"):
    """A line that stays; `kind` is what it is: done, reused, note, failed, or nothing special."""

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


def connect(pipe: int, notes: int) -> None:
    """Have events written to a pipe (-1: plain lines), and notes to a file that the command reads in the end."""
    _Outlets.pipe, _Outlets.notes = pipe, notes


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


def doing(text: str, done: int = 0, total: int = 0) -> None:
    """Show what the task at work is doing now, ten times a second at most; without a terminal nothing is said."""
    if _Outlets.pipe >= 0 and _Outlets.task and time.monotonic() >= _Outlets.time + _REDRAWN_EVERY:
        _Outlets.time = time.monotonic()
        send(Doing(task=_Outlets.task, text=one_line(text)[:_MAX_TEXT], done=done, total=total))


class Bar(Protocol):
    """Work under way."""

    def advance(self, nbytes: int) -> None:
        """Tell that bytes came in, or (negative) that some have to come again."""

    def done(self, item: str) -> None:
        """Tell that an item is finished."""


@contextlib.contextmanager
def progress(title: str, total_bytes: int, total_items: int) -> Iterator[Bar]:
    """Show work of a known size while the body runs."""
    if _Outlets.pipe >= 0:
        yield _Drawn(_Outlets.task or title, total_bytes, total_items)
        return
    lines = Lines(title=title, total_bytes=total_bytes, total_items=total_items, stream=sys.stderr)
    try:
        yield lines
    finally:
        lines.finish()


class Lines:
    """One line at the end and whenever a tenth more, or ten seconds, have passed."""

    def __init__(self, *, title: str, total_bytes: int, total_items: int, stream: TextIO) -> None:
        self._title = title
        self._total_bytes = total_bytes
        self._total_items = total_items
        self._stream = stream
        self._lock = threading.Lock()
        self._bytes = self._items = 0
        self._said: tuple[int, int] | None = None
        self._percent = 0
        self._time = time.monotonic()

    def advance(self, nbytes: int) -> None:
        """See `Bar`."""
        with self._lock:
            self._bytes += nbytes
            percent = 100 * self._bytes // max(self._total_bytes, 1)
            if percent >= self._percent + EVERY_PERCENT or time.monotonic() >= self._time + EVERY_SECONDS:
                self._say(percent)

    def done(self, item: str) -> None:  # noqa: ARG002 - a line for each item would be noise
        """See `Bar`."""
        with self._lock:
            self._items += 1

    def finish(self) -> None:
        """Say how far it came, unless the last line did."""
        with self._lock:
            if self._said != (self._bytes, self._items):
                self._say(100 * self._bytes // max(self._total_bytes, 1))

    def _say(self, percent: int) -> None:
        self._said = (self._bytes, self._items)
        self._percent, self._time = percent, time.monotonic()
        items = f"{self._items}/{self._total_items}"
        amount = f"{self._bytes / 1e6:.1f}/{self._total_bytes / 1e6:.1f} MB"
        self._stream.write(f"{self._title}: {items}, {amount}\n")
        self._stream.flush()


class _Drawn:
    """Tells the display of each item, and of bytes ten times a second at most."""

    def __init__(self, task: str, total_bytes: int, total_items: int) -> None:
        self._task = task
        self._total_bytes = total_bytes
        self._total_items = total_items
        self._lock = threading.Lock()
        self._bytes = self._items = 0
        self._time = 0.0

    def advance(self, nbytes: int) -> None:
        """See `Bar`."""
        with self._lock:
            self._bytes += nbytes
            self._tell(always=False)

    def done(self, item: str) -> None:  # noqa: ARG002 - the bar counts
        """See `Bar`."""
        with self._lock:
            self._items += 1
            self._tell(always=True)

    def _tell(self, *, always: bool) -> None:
        if always or time.monotonic() >= self._time + _REDRAWN_EVERY:
            self._time = time.monotonic()
            text = f"{self._items}/{self._total_items}"
            send(Doing(task=self._task, text=text, done=self._bytes, total=self._total_bytes, unit="B"))
