"""Standard output and error as every command writes to them.

* A message never fails for its words: what a terminal's encoding lacks is printed as an escape.
* When nobody reads any more (``| head``) the work goes on. Where standard output cannot be written the work goes on as
  well, and the command fails in the end.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
from typing import TYPE_CHECKING, TextIO

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterator


def print_anything() -> None:
    """Let standard output and error take any text, and let them lose their reader."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
            setattr(sys, name, Forgiving(stream))


class Forgiving(io.TextIOBase):
    """A text stream that goes on when its reader is gone, or its disk full: what comes after is for nobody."""

    lost = ""
    """Why standard output has not all that was said, where nobody but the user's disk is to blame."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """Return the stream's own."""
        return self._stream.encoding

    def isatty(self) -> bool:
        """Tell whether a terminal is behind it."""
        return self._stream.isatty()

    def fileno(self) -> int:
        """Return the stream's own."""
        return self._stream.fileno()

    def writable(self) -> bool:
        """Say that it is to be written to."""
        return True

    def write(self, text: str) -> int:
        """Write, as far as somebody reads."""
        with self._losing_readers():
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Write what is held back."""
        with self._losing_readers():
            self._stream.flush()

    @contextlib.contextmanager
    def _losing_readers(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if not isinstance(error, BrokenPipeError) and self._stream.fileno() == 1:
                Forgiving.lost = f"standard output cannot be written: {error.strerror}"
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)
            self._stream.flush()  # what could not be written is held back still


class Paint(Struct, frozen=True):
    """Colours where they are wanted: on a terminal that has them, unless ``NO_COLOR`` is set (https://no-color.org)."""

    on: bool

    @classmethod
    def of(cls, stream: TextIO) -> Paint:
        """Return what is fit for a stream."""
        wanted = not os.environ.get("NO_COLOR") and os.environ.get("TERM", "dumb") != "dumb"
        return cls(wanted and stream.isatty())

    def red(self, text: str) -> str:
        """Return a text for what went wrong."""
        return self._in("1;31", text)

    def yellow(self, text: str) -> str:
        """Return a text for what should be looked at."""
        return self._in("33", text)

    def green(self, text: str) -> str:
        """Return a text for what went well."""
        return self._in("32", text)

    def dim(self, text: str) -> str:
        """Return a text for what can be passed over."""
        return self._in("2", text)

    def _in(self, colour: str, text: str) -> str:
        return f"\x1b[{colour}m{text}\x1b[0m" if self.on and text else text
