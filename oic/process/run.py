"""The only module that runs programs.

* A program is given as a list of arguments, never to a shell, and gets none of this process's environment.
* Its output goes through pipes to the stage's log; an error has the last lines of the log and its path.
* A program that exceeds its time or its output limit is killed, with everything it started in its session.
* A program that is killed by a signal has failed. A script may exit 0 although a program it ran was killed or found the
  disk full; with `check_log`, the log is searched for that.
"""

from __future__ import annotations

import contextlib
import math
import os
import shlex
import signal
import subprocess
from typing import IO, TYPE_CHECKING

from oic.errors import ToolError
from oic.process.host import failure_in, full_disk_in
from oic.process.pipes import Streams, TooMuchOutputError
from oic.progress import doing
from oic.values import Value

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
TIMEOUT_VARIABLE = "OIC_PROGRAM_TIMEOUT"
"""The environment variable that sets how many seconds a program, such as a package's script, may run."""
_DEFAULT_TIMEOUT = 3600.0
MAX_LOG_BYTES = 64 << 20
"""Bytes that one program may add to a log. A larger log is useless for diagnosis."""
_MAX_TAIL = 1 << 20


class ProgramTimeoutError(ToolError):
    """A program did not end in time."""


class Output(Value):
    """A program's standard output and its exit status."""

    text: str
    status: int


def do_nothing() -> None:
    """Do nothing: programs of the host leave no processes behind that `leave` would have to end."""


def run(  # noqa: PLR0913 - everything about a subprocess is set here
    argv: Sequence[str],
    *,
    log: Path | None = None,
    stdin: str = "",
    env: Mapping[str, str] | None = None,
    enter: Callable[[], None] | None = None,
    leave: Callable[[], None] = do_nothing,
    capture: bool = True,
    accept: Sequence[int] = (0,),
    timeout: float | None = None,
    check_log: bool = False,
    title: str = "",
) -> Output:
    """Run a program and wait until it ends; `title` says what it is, where its name does not.

    `enter` runs in the child before exec, for example to change root. `leave` runs in this process after the program
    has ended in any way, to end processes that it left running. With `capture`, standard output is returned instead of
    logged. Raises ToolError when the program cannot be started, exits with a status that is not in `accept`, runs
    longer than `timeout` seconds (`program_timeout` by default) or writes more than `MAX_LOG_BYTES`. With `check_log`,
    raises it also when the log says that a part of the program was killed or ran out of space.
    """
    timeout = program_timeout() if timeout is None else timeout
    program = title or argv[0]
    doing(os.path.basename(program))
    with _open_log(log) as sink:
        sink.write(f"$ {shlex.join(argv)}{f'  # {title}' if title else ''}\n".encode())
        start = sink.seek(0, os.SEEK_END)
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
        data = os.fsencode(stdin)
        streams = Streams(process=process, log=sink, stdin=data, max_log_bytes=MAX_LOG_BYTES, on_exit=leave)
        text = _read_output(streams, argv, timeout, log)
        failed = process.returncode not in accept
        if failed or check_log:
            failure = _failure(program, process.returncode, sink, start, text) if failed else ""
            _check_end(sink, start, failure, log, program)
    return Output(text=text, status=process.returncode)


def program_timeout() -> float:
    """Return how many seconds a program may run; raises ToolError when the environment variable is no such number."""
    text = os.environ.get(TIMEOUT_VARIABLE, "")
    try:
        seconds = float(text) if text else _DEFAULT_TIMEOUT
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise ToolError(f"expected a number of seconds, found '{text}'", where=TIMEOUT_VARIABLE)
    return seconds


def _open_log(log: Path | None) -> IO[bytes]:
    if log is None:
        return os.fdopen(os.memfd_create("log"), "w+b")
    log.parent.mkdir(parents=True, exist_ok=True)
    return log.open("ab+")


def _where(log: Path | None) -> str | None:
    return str(log) if log else None


def _read_output(streams: Streams, argv: Sequence[str], timeout: float, log: Path | None) -> str:
    process = streams.process
    try:
        return streams.communicate(timeout).decode("utf-8", "surrogateescape")
    except subprocess.TimeoutExpired:
        _end(process, streams.on_exit)
        hint = f"set {TIMEOUT_VARIABLE}=SECONDS in the environment to change the limit"
        message = f"{argv[0]} did not end within {timeout:.0f} s and was killed"
        raise ProgramTimeoutError(message, where=_where(log), hint=hint) from None
    except TooMuchOutputError:
        _end(process, streams.on_exit)
        message = f"{argv[0]} wrote more than {MAX_LOG_BYTES >> 20} MiB of output and was killed"
        raise ToolError(message, where=_where(log), hint="does a script print in an endless loop?") from None
    except BaseException:
        _end(process, streams.on_exit)
        raise


def _end(process: subprocess.Popen[bytes], leave: Callable[[], None]) -> None:
    with contextlib.suppress(ProcessLookupError):  # it has just ended by itself
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    leave()


def _check_end(sink: IO[bytes], start: int, failure: str, log: Path | None, program: str) -> None:
    """Raise FullDiskError if the log says so, ToolError for a `failure` or for that of a part of the program."""
    output = _since(sink, start)
    part = failure_in(output)
    if part and log and (full := full_disk_in(output, log, program)):
        raise full
    if failure:
        raise ToolError(failure, where=_where(log))
    if part:
        raise ToolError(f"{program} exited with 0, but a part of it failed:\n    {part}", where=_where(log))


def _since(sink: IO[bytes], start: int) -> str:
    sink.seek(start)
    return clipped(sink.read().decode("utf-8", "replace"))


_MAX_LINE = 1000
"""Characters at the start and at the end of a log line that are searched."""


def clipped(text: str) -> str:
    """Return a program's output with the middle of very long lines cut out: searching these would take too long.

    The end of a line is kept because a message may follow what a script wrote without a line break.
    """
    limit = 2 * _MAX_LINE
    lines = text.split("\n")
    return "\n".join(line if len(line) <= limit else line[:_MAX_LINE] + line[-_MAX_LINE:] for line in lines)


def _failure(program: str, status: int, sink: IO[bytes], start: int, text: str) -> str:
    begin = max(start, sink.seek(0, os.SEEK_END) - _MAX_TAIL)
    sink.seek(begin)
    found = sink.read().decode("utf-8", "replace").splitlines()
    output = (found if begin == start else found[1:]) or text.splitlines()
    ended = f"was killed by {signal.Signals(-status).name}" if status < 0 else f"failed with status {status}"
    lines = "".join(f"\n    {line}" for line in output[-TAIL:])
    return f"{program} {ended}:{lines}" if lines else f"{program} {ended} without any output"
