"""A started program's standard streams, attended to until it has ended: input fed, output copied or returned.

A program holds pipes and no file of the host: it can neither read, cut nor rewrite the log, nor change the log's mode.
"""

from __future__ import annotations

import os
import selectors
import subprocess
import time
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_CHUNK = 1 << 16
_MAX_CAPTURED = 1 << 30
"""Bytes of standard output that are kept in memory."""


class TooMuchOutputError(Exception):
    """A program that wrote more than it may."""


@dataclass(slots=True, kw_only=True)
class Streams:
    """The streams of one program: its standard error goes to `log`, its output too unless it is a pipe of its own.

    `ended` is called once the program itself has ended, before the rest of its output is read: it ends whatever the
    program left running, which may hold the pipes open.
    """

    process: subprocess.Popen[bytes]
    log: IO[bytes]
    given: bytes
    max_log_bytes: int
    ended: Callable[[], None]
    _captured: list[bytes] = field(default_factory=list, init=False)
    _logged: int = field(default=0, init=False)
    _kept: int = field(default=0, init=False)

    def attend(self, timeout: float) -> bytes:
        """Return what was captured of standard output, once the program has ended and all pipes are at their end.

        Raises subprocess.TimeoutExpired after `timeout` seconds, TooMuchOutputError, and OSError of writing the log;
        the program may be running still.
        """
        until = time.monotonic() + timeout
        over = os.pidfd_open(self.process.pid)
        try:
            with selectors.DefaultSelector() as selector:
                selector.register(over, selectors.EVENT_READ, self._end)
                self._register(selector)
                while selector.get_map():
                    ready = selector.select(max(0.0, until - time.monotonic()))
                    if not ready:
                        raise subprocess.TimeoutExpired(self.process.args, timeout)
                    for key, _ in ready:
                        if not key.data(key.fileobj):
                            selector.unregister(key.fileobj)
                            if key.fileobj is self.process.stdin:  # the program reads up to its end
                                self.process.stdin.close()
        finally:
            os.close(over)
            for stream in filter(None, (self.process.stdin, self.process.stdout, self.process.stderr)):
                stream.close()
        return b"".join(self._captured)

    def _register(self, selector: selectors.BaseSelector) -> None:
        process = self.process
        assert process.stdin
        assert process.stdout
        os.set_blocking(process.stdin.fileno(), False)
        selector.register(process.stdin, selectors.EVENT_WRITE, self._feed)
        selector.register(process.stdout, selectors.EVENT_READ, self._keep if process.stderr else self._copy)
        if process.stderr:
            selector.register(process.stderr, selectors.EVENT_READ, self._copy)

    def _end(self, _descriptor: int) -> bool:
        self.process.wait()
        self.ended()
        return False

    def _feed(self, pipe: IO[bytes]) -> bool:
        if self.given and self.process.returncode is None:
            try:
                self.given = self.given[os.write(pipe.fileno(), self.given[:_CHUNK]) :]
            except BrokenPipeError:  # it does not want to read on
                self.given = b""
        return bool(self.given) and self.process.returncode is None

    def _copy(self, pipe: IO[bytes]) -> bool:
        data = os.read(pipe.fileno(), _CHUNK)
        self.log.write(data)
        self.log.flush()
        self._logged += len(data)
        if self._logged > self.max_log_bytes:
            raise TooMuchOutputError
        return bool(data)

    def _keep(self, pipe: IO[bytes]) -> bool:
        data = os.read(pipe.fileno(), _CHUNK)
        self._captured.append(data)
        self._kept += len(data)
        if self._kept > _MAX_CAPTURED:
            raise TooMuchOutputError
        return bool(data)
