"""Another clock for programs in sandboxes, by preloading libfaketime.

Linux has no namespace for the time of day; time_namespaces(7) covers other clocks only. Static programs, and programs
of another C library, still see the host's clock. File times come from the kernel and do not change.
"""

from __future__ import annotations

import contextlib
import os
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING

from oic.errors import OicError
from oic.values import Value

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LIBRARY = "OIC_CLOCK_LIBRARY"
"""The environment variable that names a libfaketime for the host's architecture."""
_PACKAGED = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"
"""The path in Debian's package libfaketime."""
FILE = "clock.so"


class Clock(Value):
    """A clock that is `ahead` of the host's by so many seconds, by means of a library."""

    library: Path
    ahead: int

    def environment(self, at: str) -> Mapping[str, str]:
        """Return the environment for programs that find the library `at` a path; file times are not changed."""
        return {
            "LD_PRELOAD": at,
            "FAKETIME": f"{self.ahead:+d}",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "FAKE_UTIME": "0",
            "NO_FAKE_STAT": "1",
        }


_current: ContextVar[Clock | None] = ContextVar("clock", default=None)


def current() -> Clock | None:
    """Return the clock of sandboxes; None for the host's."""
    return _current.get()


@contextlib.contextmanager
def used(clock: Clock | None) -> Iterator[None]:
    """Set the clock of all sandboxes of this thread and of the processes it starts."""
    token = _current.set(clock)
    try:
        yield
    finally:
        _current.reset(token)


def library() -> Path | None:
    """Return the library that the environment names or the host has, or None; raises OicError for a missing file."""
    named = os.environ.get(LIBRARY, "")
    path = Path(named or _PACKAGED)
    if path.is_file():
        return path.resolve()
    if named:
        raise OicError(f"expected the path of libfaketime.so.1, found no file '{named}'", where=LIBRARY)
    return None
