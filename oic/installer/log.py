"""The log of the installation: what was said and what programs printed."""

from __future__ import annotations

import os
import time
from pathlib import Path

from .errors import printable

PATH = Path("/run/oic/installer.log")
_opened: list[int] = []


def open_log(path: Path = PATH) -> None:
    """Let the log be this file, which it appends to; without one, nothing is logged."""
    path.parent.mkdir(parents=True, exist_ok=True)
    close_log()
    _opened.append(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600))


def close_log() -> None:
    """End the log."""
    while _opened:
        os.close(_opened.pop())


def write_log(text: str) -> None:
    """Write lines, each with the seconds since the machine started; a full disk loses lines, not the installation."""
    seconds = time.clock_gettime(time.CLOCK_BOOTTIME)
    for fd in _opened:
        lines = "".join(f"{seconds:10.2f} {printable(line)}\n" for line in text.splitlines())
        try:
            os.write(fd, lines.encode())
        except OSError:
            return
