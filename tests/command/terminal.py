"""A terminal as a user sees it: pexpect runs the command, pyte draws what it writes."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pexpect
import pyte

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_ROWS = 60


@dataclass
class Terminal:
    """A command on a terminal of so many columns."""

    argv: Sequence[str]
    cwd: Path
    environment: Mapping[str, str]
    columns: int
    raw: bytes = b""
    silences: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.screen = pyte.HistoryScreen(self.columns, _ROWS, history=1000)
        self._stream = pyte.ByteStream(self.screen)
        environment = {**self.environment, "TERM": "xterm-256color", "LANG": "C.UTF-8"}
        environment.pop("COLUMNS", None)
        environment.pop("NO_COLOR", None)
        self.process = pexpect.spawn(
            "env",
            ["--default-signal=INT", *self.argv],  # the suite may run in the background
            cwd=str(self.cwd),
            env=environment,
            dimensions=(_ROWS, self.columns),
            timeout=600,
        )

    def read(self, seconds: float) -> bool:
        """Draw what comes for so many seconds; return whether the command still runs."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            begun = time.monotonic()
            try:
                data = self.process.read_nonblocking(65536, timeout=left)
            except pexpect.TIMEOUT:
                return True
            except pexpect.EOF:
                self.process.close()
                return False
            self.silences.append(time.monotonic() - begun)
            self.raw += data
            self._stream.feed(data)
        return True

    def until(self, text: str, seconds: float = 600) -> None:
        """Draw until a text is on the screen."""
        end = time.monotonic() + seconds
        while text not in self.shown:
            assert self.read(0.05) or text in self.shown, self.shown
            assert time.monotonic() < end, self.shown

    def finish(self) -> int:
        """Draw until the command ends; return its status, negative for a signal."""
        while not self.process.closed and self.read(1):
            pass
        return -self.process.signalstatus if self.process.signalstatus else int(self.process.exitstatus or 0)

    @property
    def shown(self) -> str:
        """What is on the screen and what has scrolled off it, without empty lines at the end."""
        past = ["".join(line[at].data for at in range(self.columns)) for line in self.screen.history.top]
        return "\n".join(line.rstrip() for line in [*past, *self.screen.display]).rstrip()
