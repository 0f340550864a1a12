"""The one door to subprocesses.

* argv lists, never a shell; an environment made from nothing.
* What the program says goes to the stage's log, through pipes; an error carries the log's last lines and its path.
* A program that outlives its time, or does not stop talking, is killed with all it started in its session.
* What somebody else kills, the kernel out of memory for one, is a failure, and so is a full disk; where scripts pass
  over both, `whole` looks for them.
"""

from __future__ import annotations

import contextlib
import math
import os
import re
import shlex
import signal
import subprocess
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from oic.errors import ToolError
from oic.process.pipes import Streams, TooMuchOutputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LC_ALL": "C.UTF-8",
    "LANG": "C.UTF-8",
    "TZ": "UTC",
    "TERM": "dumb",
}
TAIL = 12
PATIENCE = "OIC_PATIENCE"
"""The environment variable that says how many seconds a program may take, a package's script among them."""
_DEFAULT_PATIENCE = 3600.0
MAX_LOG_BYTES = 64 << 20
"""Bytes that one program may add to a log: a larger one is useless for finding out what went wrong."""
_MOST_TAIL = 1 << 20

_HURT = re.compile(
    r"^(?:.*: line \d+: +\d+ )?(?:Killed|Bus error)(?: \(core dumped\))?(?:$| {2}.*)"  # a shell, of what it started
    r"|^.*'cp .*' failed with \d+$"  # dracut-install
    r"|^.*(?:No space left on device|Disk quota exceeded|fork: .*Cannot allocate memory).*$",
    re.MULTILINE,
)
"""Lines that tell of a part that was not done for want of memory or room: scripts pass over it as over a lack.

What crashes by itself does so on every machine: it is its script's to judge, as everywhere.
"""


class OverTimeError(ToolError):
    """A program that did not end in time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """What a program wrote to its standard output, and how it ended."""

    text: str
    status: int


def nothing_left() -> None:
    """Take it that a program leaves nothing running: the `leave` of programs of the host."""


def run(  # noqa: PLR0913 - the one place where all of a subprocess is said
    argv: Sequence[str],
    *,
    log: Path | None = None,
    stdin: str = "",
    env: Mapping[str, str] | None = None,
    enter: Callable[[], None] | None = None,
    leave: Callable[[], None] = nothing_left,
    capture: bool = True,
    accept: Sequence[int] = (0,),
    timeout: float | None = None,
    whole: bool = False,
) -> Output:
    """Run a program to its end.

    `enter` runs in the child before exec (to change root); `leave` in this process when the program has ended, however
    it did, to end what it left running. `capture` keeps standard output out of the log and returns it. Raises ToolError
    when the program cannot be started, ends with a status not in `accept`, takes longer than `timeout` seconds
    (`patience`, unless given) or writes more than `MAX_LOG_BYTES`; when `whole`, also when the log says that a part of
    it was killed or found no room.
    """
    timeout = patience() if timeout is None else timeout
    with _opened(log) as sink:
        start = sink.seek(0, os.SEEK_END)
        sink.write(f"$ {shlex.join(argv)}\n".encode())
        sink.flush()
        try:
            process = subprocess.Popen(
                argv,
                stdin=subprocess.PIPE,
                bufsize=0,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE if capture else subprocess.STDOUT,
                env={**ENVIRONMENT, **(env or {})},
                preexec_fn=enter,  # noqa: PLW1509 - callers that pass one have a single thread
                start_new_session=True,
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise ToolError(f"{argv[0]} could not be started: {error}", where=_where(log)) from error
        given = os.fsencode(stdin)
        streams = Streams(process=process, log=sink, given=given, max_log_bytes=MAX_LOG_BYTES, ended=leave)
        text = _attended(streams, argv, timeout, log)
        if process.returncode not in accept:
            raise ToolError(_failure(argv, process.returncode, sink, start, text), where=_where(log))
        if whole and (hurt := _hurt_in(sink, start)):
            raise ToolError(f"{argv[0]} ended well, but a part of it did not:\n    {hurt}", where=_where(log))
    return Output(text=text, status=process.returncode)


def patience() -> float:
    """Return how many seconds a program may take; raises ToolError when the environment says it in other words."""
    said = os.environ.get(PATIENCE, "")
    try:
        seconds = float(said) if said else _DEFAULT_PATIENCE
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise ToolError(f"expected a number of seconds, found '{said}'", where=PATIENCE)
    return seconds


def _opened(log: Path | None) -> IO[bytes]:
    if log is None:
        return os.fdopen(os.memfd_create("log"), "w+b")
    log.parent.mkdir(parents=True, exist_ok=True)
    return log.open("ab+")


def _where(log: Path | None) -> str | None:
    return str(log) if log else None


def _attended(streams: Streams, argv: Sequence[str], timeout: float, log: Path | None) -> str:
    process = streams.process
    try:
        return streams.attend(timeout).decode("utf-8", "surrogateescape")
    except subprocess.TimeoutExpired:
        _end(process, streams.ended)
        hint = f"{PATIENCE}=SECONDS in the environment gives it another limit"
        message = f"{argv[0]} did not end within {timeout:.0f} s and was killed"
        raise OverTimeError(message, where=_where(log), hint=hint) from None
    except TooMuchOutputError:
        _end(process, streams.ended)
        message = f"expected at most {MAX_LOG_BYTES >> 20} MiB in the log, found more of {argv[0]}'s, and killed it"
        raise ToolError(message, where=_where(log), hint="a program or script in there does not stop talking") from None
    except BaseException:
        _end(process, streams.ended)
        raise


def _end(process: subprocess.Popen[bytes], leave: Callable[[], None]) -> None:
    with contextlib.suppress(ProcessLookupError):  # stopped when it had just ended
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    leave()


def _hurt_in(sink: IO[bytes], start: int) -> str:
    sink.seek(start)
    found = _HURT.search(clipped(sink.read().decode("utf-8", "replace")))
    return " ".join(found[0].split())[:200] if found else ""


_MAX_LINE = 1000
"""Characters at either end of a line of a log that are searched."""


def clipped(text: str) -> str:
    """Return a program's output without the middle of lines longer than any message: searching one can take for ever.

    A script may have written the begin of a line whose end is a message.
    """
    long = 2 * _MAX_LINE
    lines = text.split("\n")
    return "\n".join(line if len(line) <= long else line[:_MAX_LINE] + line[-_MAX_LINE:] for line in lines)


def _failure(argv: Sequence[str], status: int, sink: IO[bytes], start: int, text: str) -> str:
    sink.seek(max(start, sink.seek(0, os.SEEK_END) - _MOST_TAIL))
    said = sink.read().decode("utf-8", "replace").splitlines()[1:] or text.splitlines()
    ended = f"was killed by {signal.Signals(-status).name}" if status < 0 else f"failed with status {status}"
    lines = "".join(f"\n    {line}" for line in said[-TAIL:])
    return f"{argv[0]} {ended}:{lines}" if lines else f"{argv[0]} {ended} and said nothing"
