"""The only module that starts programs: an argument list, no shell, an environment of its own, output into the log."""

from __future__ import annotations

import os
import shlex
import subprocess
from typing import TYPE_CHECKING

from .errors import InstallError
from .log import write_log

if TYPE_CHECKING:
    from collections.abc import Sequence

_ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LC_ALL": "C.UTF-8",
}
_TIMEOUT = 3600.0
_TAIL = 8


def run(argv: Sequence[str], *, stdin: str = "", accept: Sequence[int] = (0,), fds: Sequence[int] = ()) -> str:
    """Run a program and return its standard output; `fds` are open files that it gets.

    Raises InstallError when it cannot be started, ends with a status that is not in `accept`, or takes an hour.
    """
    write_log(f"$ {shlex.join(argv)}")
    try:
        done = subprocess.run(
            argv,
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            env=_ENVIRONMENT,
            timeout=_TIMEOUT,
            check=False,
            pass_fds=fds,
        )
    except FileNotFoundError:
        hint = "the installer's system lacks its package"
        raise InstallError(f"expected the program {argv[0]}, found none", hint=hint) from None
    except subprocess.TimeoutExpired:
        raise InstallError(f"{argv[0]} did not end within {_TIMEOUT:.0f} s and was killed") from None
    for line in (done.stdout + done.stderr).splitlines():
        write_log(f"  {line}")
    if done.returncode not in accept:
        lines = (done.stderr.strip() or done.stdout.strip()).splitlines()[-_TAIL:]
        said = "".join(f"\n    {line}" for line in lines) or "\n    (it said nothing)"
        raise InstallError(f"{shlex.join(argv)} failed with status {done.returncode}:{said}")
    return done.stdout


def start_unpacking() -> subprocess.Popen[bytes]:
    """Start zstd(1), which reads frames from a pipe and writes what they hold to another."""
    argv = ["zstd", "-dc"]
    write_log(f"$ {shlex.join(argv)}")
    try:
        return subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=_ENVIRONMENT
        )
    except FileNotFoundError:
        hint = "the installer's system lacks its package"
        raise InstallError("expected the program zstd, found none", hint=hint) from None


def is_superuser() -> bool:
    """Tell whether this process may mount."""
    return os.geteuid() == 0
