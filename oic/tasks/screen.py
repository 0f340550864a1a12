"""What the command itself shows of a run: on a terminal through the display, elsewhere in plain lines.

Results go to standard output, everything here to standard error. The display begins with the first task that runs:
a build that has nothing to do draws nothing.
"""

from __future__ import annotations

import os
import sys

import msgspec

from oic import progress
from oic.errors import printable
from oic.tasks import display
from oic.tasks.output import Paint


class Screen:
    """The command's standard error, and the notes of all its processes."""

    def __init__(self) -> None:
        self.paint = Paint.of(sys.stderr)
        live = progress.is_told("") and sys.stderr.isatty()
        self.terminal = live and os.environ.get("TERM", "dumb") != "dumb"
        self._notes = os.memfd_create("notes")
        self._reader = self._writer = -1
        self._display = 0
        if self.terminal:
            self._reader, self._writer = os.pipe()
            os.set_blocking(self._writer, False)
        progress.connect(-1, self._notes)

    def line(self, text: str, kind: str = "") -> None:
        """Show a line that stays."""
        if not progress.is_told(kind):
            return
        if self._display:
            progress.tell(text, kind)
        else:
            sys.stderr.write(f"{display.painted(printable(progress.worded(text)), kind, self.paint)}\n")
            sys.stderr.flush()

    def expect_work(self) -> None:
        """Give the processes that will be forked the way to the display; called before a task can run."""
        progress.connect(self._writer, self._notes)

    def started(self, task: str, name: str) -> None:
        """Show that a task runs, by its name."""
        if self.terminal and not self._display:
            self._display = display.start(self._reader)
            os.close(self._reader)
        if self._display:
            progress.send(progress.Started(task=task, name=name))

    def ended(self, task: str) -> None:
        """Show that a task does not run any more."""
        if self._display:
            progress.send(progress.Ended(task=task))

    def close(self) -> None:
        """End the display, whose last lines are then there."""
        if self._display:
            os.set_blocking(self._writer, True)
            progress.send(progress.Closed())
            os.waitpid(self._display, 0)
            self._display = 0
        progress.connect(-1, -1)

    def notes(self) -> list[progress.Line]:
        """Return the notes of all processes, each with the task that gave it."""
        size = os.fstat(self._notes).st_size
        lines = os.pread(self._notes, size, 0).splitlines()
        return [msgspec.json.decode(line, type=progress.Line) for line in lines]
