"""The standard streams of a running program: its input is written, its output is copied to the log or returned.

The program gets pipes and no file of the host, so it cannot read, truncate or rewrite the log or change its mode.
"""

from __future__ import annotations

import os
import selectors
import subprocess
import time
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING

from oic.progress import doing, is_told, printed

if TYPE_CHECKING:
    from collections.abc import Callable

_CHUNK = 1 << 16
_MAX_SHOWN = 200
_MAX_CAPTURED = 1 << 30
"""The limit of standard output that is kept in memory, in bytes."""


class TooMuchOutputError(Exception):
    """A program wrote more than its limit."""


@dataclass(slots=True, kw_only=True)
class Streams:
    """The streams of one program: standard error is copied to `log`, and so is standard output unless it is captured.

    `stdin` is what the program reads. `on_exit` is called once the program itself has ended, before the rest of its
    output is read: it ends processes that the program left running and that may hold the pipes open.
    """

    process: subprocess.Popen[bytes]
    log: IO[bytes]
    stdin: bytes
    max_log_bytes: int
    on_exit: Callable[[], None]
    _begun_line: bytes = field(default=b"", init=False)
    _captured: list[bytes] = field(default_factory=list, init=False)
    _logged_bytes: int = field(default=0, init=False)
    _captured_bytes: int = field(default=0, init=False)

    def communicate(self, timeout: float) -> bytes:
        """Wait until the program has ended and all pipes are closed; return its captured standard output.

        Raises subprocess.TimeoutExpired after `timeout` seconds, TooMuchOutputError, or OSError when the log cannot be
        written; the program may still be running then.
        """
        until = time.monotonic() + timeout
        exit_event = os.pidfd_open(self.process.pid)
        try:
            with selectors.DefaultSelector() as selector:
                selector.register(exit_event, selectors.EVENT_READ, self._exited)
                self._register(selector)
                while selector.get_map():
                    ready = selector.select(max(0.0, until - time.monotonic()))
                    if not ready:
                        raise subprocess.TimeoutExpired(self.process.args, timeout)
                    for key, _ in ready:
                        if not key.data(key.fileobj):
                            selector.unregister(key.fileobj)
                            if key.fileobj is self.process.stdin:  # a closed pipe is the end of its input
                                self.process.stdin.close()
        finally:
            os.close(exit_event)
            for stream in filter(None, (self.process.stdin, self.process.stdout, self.process.stderr)):
                stream.close()
        return b"".join(self._captured)

    def _register(self, selector: selectors.BaseSelector) -> None:
        process = self.process
        assert process.stdin
        assert process.stdout
        os.set_blocking(process.stdin.fileno(), False)
        selector.register(process.stdin, selectors.EVENT_WRITE, self._feed)
        selector.register(process.stdout, selectors.EVENT_READ, self._capture if process.stderr else self._copy)
        if process.stderr:
            selector.register(process.stderr, selectors.EVENT_READ, self._copy)

    def _exited(self, _descriptor: int) -> bool:
        self.process.wait()
        self.on_exit()
        return False

    def _feed(self, pipe: IO[bytes]) -> bool:
        if self.stdin and self.process.returncode is None:
            try:
                self.stdin = self.stdin[os.write(pipe.fileno(), self.stdin[:_CHUNK]) :]
            except BrokenPipeError:  # the program closed its input
                self.stdin = b""
        return bool(self.stdin) and self.process.returncode is None

    def _copy(self, pipe: IO[bytes]) -> bool:
        data = os.read(pipe.fileno(), _CHUNK)
        self.log.write(data)
        if line := data.rstrip().rpartition(b"\n")[2]:
            doing(line[:_MAX_SHOWN].decode("utf-8", "replace"))
        if is_told("printed"):
            self._tell(data)
        self.log.flush()
        self._logged_bytes += len(data)
        if self._logged_bytes > self.max_log_bytes:
            raise TooMuchOutputError
        return bool(data)

    def _tell(self, data: bytes) -> None:
        """Show each line that is whole, and at the end, when there is no data, the rest."""
        *lines, self._begun_line = (self._begun_line + (data or b"\n")).splitlines(keepends=True)
        if self._begun_line.endswith(b"\n"):
            lines, self._begun_line = [*lines, self._begun_line], b""
        for line in filter(None, (line.rstrip() for line in lines)):
            printed(line.decode("utf-8", "replace"))

    def _capture(self, pipe: IO[bytes]) -> bool:
        data = os.read(pipe.fileno(), _CHUNK)
        self._captured.append(data)
        self._captured_bytes += len(data)
        if self._captured_bytes > _MAX_CAPTURED:
            raise TooMuchOutputError
        return bool(data)
