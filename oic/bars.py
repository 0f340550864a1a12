"""Work of a known size under way: a bar in the display, or a line now and then where there is no terminal.

Every function may be called from any thread.
"""

from __future__ import annotations

import contextlib
import io
import sys
import threading
import time
from typing import TYPE_CHECKING, Protocol, TextIO

from oic.progress import REDRAWN_EVERY, Doing, is_told, send, task_drawn

if TYPE_CHECKING:
    from collections.abc import Iterator

EVERY_PERCENT = 10
EVERY_SECONDS = 10.0


class Bar(Protocol):
    """Work under way."""

    def advance(self, nbytes: int) -> None:
        """Tell that bytes came in, or (negative) that some have to come again."""

    def done(self, item: str) -> None:
        """Tell that an item is finished."""


@contextlib.contextmanager
def progress_bar(title: str, total_bytes: int, total_items: int) -> Iterator[Bar]:
    """Show work of a known size while the body runs."""
    task = task_drawn()
    if task is not None:
        yield _Drawn(task or title, total_bytes, total_items)
        return
    stream = sys.stderr if is_told("") else io.StringIO()
    lines = Lines(title=title, total_bytes=total_bytes, total_items=total_items, stream=stream)
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
        if always or time.monotonic() >= self._time + REDRAWN_EVERY:
            self._time = time.monotonic()
            text = f"{self._items}/{self._total_items}"
            send(Doing(task=self._task, text=text, done=self._bytes, total=self._total_bytes, unit="B"))
