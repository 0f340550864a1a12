"""Another clock for the programs of sandboxes: a library like libfaketime, loaded before their own.

Linux has no namespace for the time of day (time_namespaces(7) has the others). Static programs, and those of another C
library, see the host's clock all the same. Times of files are the kernel's, and stay.
"""

from __future__ import annotations

import contextlib
import os
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from oic.errors import OicError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LIBRARY = "OIC_CLOCK_LIBRARY"
"""The environment variable that names a libfaketime for the host's architecture."""
_PACKAGED = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"
"""Where Debian's package libfaketime has it."""
FILE = "clock.so"


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """A clock `ahead` of the host's by so many seconds, made by a library."""

    library: Path
    ahead: int

    def environment(self, at: str) -> Mapping[str, str]:
        """Return the variables of a program that finds the library `at` a path; file times are left alone."""
        return {
            "LD_PRELOAD": at,
            "FAKETIME": f"{self.ahead:+d}",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "FAKE_UTIME": "0",
            "NO_FAKE_STAT": "1",
        }


_current: ContextVar[Clock | None] = ContextVar("clock", default=None)


def current() -> Clock | None:
    """Return the clock that sandboxes have now; None for the host's own."""
    return _current.get()


@contextlib.contextmanager
def used(clock: Clock | None) -> Iterator[None]:
    """Give every sandbox this clock; it is one of this thread and of the processes it starts."""
    token = _current.set(clock)
    try:
        yield
    finally:
        _current.reset(token)


def library() -> Path | None:
    """Return the library that the environment names, else the host's, else None; raises OicError for no file."""
    named = os.environ.get(LIBRARY, "")
    path = Path(named or _PACKAGED)
    if path.is_file():
        return path.resolve()
    if named:
        raise OicError(f"expected the path of libfaketime.so.1, found no file '{named}'", where=LIBRARY)
    return None
