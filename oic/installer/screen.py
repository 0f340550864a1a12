"""What the person before the machine sees: plain lines on every console, and the same in the log.

A console that does not take a line, such as a serial line that nobody reads, loses it: an installation waits for none.
"""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING

from .errors import printable
from .log import write_log

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

_EVERY = 1.0
"""Seconds between two lines of progress, at least."""


def consoles_of(sys: Path, dev: Path) -> list[Path]:
    """Return the devices of the kernel's consoles, /sys/class/tty/console/active; the last one is /dev/console."""
    try:
        names = (sys / "class/tty/console/active").read_text("utf-8").split()
    except OSError:
        return []
    return [dev / name for name in names]


class Screen:
    """All consoles, or standard output where there are none."""

    def __init__(self, consoles: Sequence[Path] = ()) -> None:
        self._fds = [fd for path in consoles if (fd := _opened(path)) is not None]
        self._fds = self._fds or [1]

    def say(self, text: str) -> None:
        """Show lines; a carriage return before each line break, as a serial line without a terminal driver needs it."""
        write_log(text)
        data = "".join(f"{line}\r\n" if self._fds != [1] else f"{line}\n" for line in printable(text).split("\n"))
        for fd in self._fds:
            with contextlib.suppress(OSError):
                os.write(fd, data.encode())

    def progress(self, title: str, total: int) -> Callable[[int], None]:
        """Return what is told of bytes that are done, and shows them, a line each second at most and one at the end."""
        done, begun, last = 0, time.monotonic(), time.monotonic()

        def advance(count: int) -> None:
            nonlocal done, last
            done += count
            now = time.monotonic()
            is_end = done >= total and count
            if now - last >= _EVERY or is_end:
                last = now
                self.say(progress_line(title, done, total, now - begun))

        return advance


def progress_line(title: str, done: int, total: int, seconds: float) -> str:
    """Return a line such as ``Writing   37 %, 888 of 2400 MB, 85 MB/s``."""
    share = 100 * done // total if total else 100
    rate = f", {done / seconds / 1e6:.0f} MB/s" if seconds >= 1 else ""
    return f"{title}  {share:3} %, {done / 1e6:.0f} of {total / 1e6:.0f} MB{rate}"


def _opened(path: Path) -> int | None:
    try:
        return os.open(path, os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
