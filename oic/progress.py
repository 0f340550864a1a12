"""Long work made visible: a bar on a terminal, a plain line now and then elsewhere.

Both go to standard error, and so do notes. Under doit that is a writer that knows whether a terminal is behind it.
Every method may be called from any thread.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from typing import TYPE_CHECKING, Protocol, TextIO

from oic.errors import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    import rich.progress

EVERY_PERCENT = 10
EVERY_SECONDS = 10.0


def note(text: str) -> None:
    """Tell what a user should know of a build that goes on."""
    sys.stderr.write(f"note: {printable(text)}\n")


class Bar(Protocol):
    """Work under way."""

    def advance(self, nbytes: int) -> None:
        """Tell that bytes came in, or (negative) that some have to come again."""

    def done(self, item: str) -> None:
        """Tell that an item is finished."""


@contextlib.contextmanager
def progress(title: str, total_bytes: int, total_items: int) -> Iterator[Bar]:
    """Show work of a known size while the body runs."""
    stream = sys.stderr
    if stream.isatty() and os.environ.get("TERM", "dumb") != "dumb":
        with _drawn(title, total_bytes, total_items, stream) as drawn:
            yield drawn
    else:
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


@contextlib.contextmanager
def _drawn(title: str, total_bytes: int, total_items: int, stream: TextIO) -> Iterator[Bar]:
    from rich import progress as rich_progress  # noqa: PLC0415 - 0.1 s that most invocations of doit need not spend
    from rich.console import Console  # noqa: PLC0415

    columns = (
        rich_progress.TextColumn("{task.description}"),
        rich_progress.BarColumn(),
        rich_progress.TextColumn("{task.fields[items]}/{task.fields[total_items]}"),
        rich_progress.DownloadColumn(),
        rich_progress.TransferSpeedColumn(),
        rich_progress.TimeRemainingColumn(),
    )
    with rich_progress.Progress(*columns, console=Console(file=stream)) as display:
        task = display.add_task(title, total=total_bytes, items=0, total_items=total_items)
        yield _Drawn(display, task)


class _Drawn:
    """A bar of rich's."""

    def __init__(self, display: rich.progress.Progress, task: rich.progress.TaskID) -> None:
        self._display = display
        self._task = task
        self._lock = threading.Lock()
        self._items = 0

    def advance(self, nbytes: int) -> None:
        """See `Bar`."""
        self._display.advance(self._task, nbytes)

    def done(self, item: str) -> None:  # noqa: ARG002 - the bar counts
        """See `Bar`."""
        with self._lock:
            self._items += 1
            self._display.update(self._task, items=self._items)
