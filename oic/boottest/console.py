"""A serial console: the output of a machine as plain text, and waiting for patterns in it.

* Escape sequences (ECMA-48, sections 5.4 and 8.3) and carriage returns are removed, even if reads split them.
* Text is matched only once: the position moves to the end of each match.
* A message after which the boot cannot succeed (a panic, an emergency shell) ends the wait at once.
"""

from __future__ import annotations

import codecs
import os
import re
import select
import time
from typing import IO, TYPE_CHECKING

from oic.boottest.failure import BootError, with_tail

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

PANIC = {"panic": r"Kernel panic - not syncing[^\n]*"}
DEAD_ENDS = {
    **PANIC,
    "firmware": r"BdsDxe: failed to (?:load|start)[^\n]*",
    "no_boot_device": r"No bootable (?:option|device)[^\n]*",
    "firmware_shell": r"UEFI Interactive Shell",
    "boot_manager": r"grub(?: rescue)?> |^Error loading [^\n]*|No loader found[^\n]*",
    "initramfs": r"\(initramfs\)|dracut:/#",
    "emergency": r"[Ee]mergency (?:[Mm]ode|[Ss]hell)[^\n]*|(?:password|Enter) for maintenance|root account is locked",
    "halt": r"System halted[^\n]*|reboot: (?:Power down|Restarting system)[^\n]*",
}
"""Messages after which no login can follow, by the names of their groups in the regular expression."""
REST = 1.0

_ESCAPE = re.compile(
    r"(?P<cursor_moved>\x1b\[[0-9;]{0,64}[Hf])"
    r"|\x1b\[[0-?]{0,64}[ -/]{0,8}[@-~]"
    r"|\x1b[PX^_\]][^\x07\x1b]{0,1024}(?:\x07|\x1b\\|(?=\x1b)|\Z)"  # another escape ends it
    r"|\x1b[ -/]{1,8}[0-~]|\x1b[0-OQ-WYZ\\`-~]"
    r"|[\x1b\r\0\x07]"
)
_CUT_ESCAPE = re.compile(r"\x1b(?:\[[0-?]{0,64}[ -/]{0,8}|[PX^_\]][^\x07\x1b]{0,1024}\x1b?|[ -/]{0,8})\Z")
"""The length is bounded, because text that starts a sequence and never ends it would hold back all later text."""


class Console:
    """One end of a serial line, by its two file descriptors.

    `describe_end` returns how the machine ended, after its line was closed. The plain text is written to `log`.
    """

    def __init__(self, reader: int, writer: int, *, log: Path, describe_end: Callable[[], str]) -> None:
        self.text = ""
        self.dead_ends: Mapping[str, str] = DEAD_ENDS
        self.log = log
        self._reader = reader
        self._writer = writer
        self._describe_end = describe_end
        self._position = 0
        self._cut = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        log.parent.mkdir(parents=True, exist_ok=True)
        self._sink: IO[str] = log.open("w", encoding="utf-8")

    def close(self) -> None:
        """Close the log; the caller closes the descriptors."""
        self._sink.close()

    def send(self, text: str) -> None:
        """Send `text`; raises BootError when the machine has ended."""
        try:
            os.write(self._writer, text.encode())
        except OSError as error:
            raise self.failure(self._describe_end()) from error

    def expect(self, what: str, patterns: Mapping[str, str], deadline: float) -> re.Match[str]:
        """Return the first match of any pattern, its name as `lastgroup`; raises BootError at the deadline."""
        match = self.await_any(what, patterns, deadline)
        if match is None:
            raise self.failure(f"expected {what}, but the time is up")
        return match

    def await_any(self, what: str, patterns: Mapping[str, str], deadline: float) -> re.Match[str] | None:
        """Return the first match of any pattern, None at the deadline; raises BootError at a dead end.

        Patterns must not have named groups. `deadline` is a time of `time.monotonic`.
        """
        both = {**patterns, **{f"dead_{name}": pattern for name, pattern in self.dead_ends.items()}}
        sought = re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in both.items()), re.MULTILINE)
        while True:
            if match := sought.search(self.text, self._position):
                self._position = match.end()
                if match.lastgroup in patterns:
                    return match
                self._read_rest()
                raise self.failure(f"expected {what}, but the machine printed: {match[0].strip()}")
            if not self._read(what, deadline):
                return None

    def skip(self) -> None:
        """Skip all text received so far."""
        self._position = len(self.text)

    def failure(self, message: str) -> BootError:
        """Return an error with the end of the console and the path of its log."""
        return BootError(with_tail(message, self.text), where=str(self.log))

    def _read(self, what: str, deadline: float) -> bool:
        remaining = deadline - time.monotonic()
        if remaining <= 0 or not select.select([self._reader], [], [], remaining)[0]:
            return False
        try:
            chunk = os.read(self._reader, 65536)
        except OSError:  # EIO: the other end of a pseudo-terminal is closed
            chunk = b""
        if not chunk:
            raise self.failure(f"expected {what}, but {self._describe_end()}")
        self._take(chunk)
        return True

    def _read_rest(self) -> None:
        """Read the text of the next second, because the lines after a panic explain it."""
        deadline = time.monotonic() + REST
        try:
            while self._read("the rest", deadline):
                pass
        except BootError:
            return  # the machine has ended; the caller reports why

    def _take(self, chunk: bytes) -> None:
        raw = self._cut + self._decoder.decode(chunk)
        cut = _CUT_ESCAPE.search(raw)
        whole, self._cut = (raw[: cut.start()], raw[cut.start() :]) if cut else (raw, "")
        plain = _ESCAPE.sub(lambda match: "\n" if match["cursor_moved"] else "", whole)
        self.text += plain
        self._sink.write(plain)
        self._sink.flush()
