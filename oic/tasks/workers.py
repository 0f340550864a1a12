"""The worker processes of ``doit -n``: none outlives the command, and one that is killed ends the build.

* doit would wait for the answer of a killed worker for ever, and a worker for the next task of a killed command.
* The others are killed too: what they started dies with them, and a stage may be killed at any moment.
"""

from __future__ import annotations

import functools
import multiprocessing
import os
import signal
import sys
import time
from typing import TYPE_CHECKING

from oic.process import syscalls
from oic.progress import tell_at_once

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

_SECONDS_TO_STOP = 5.0
_known: list[BaseProcess] = []


@functools.cache
def end_with(command: int) -> None:
    """Have every process that this one, `command`, forks end when it ends; called before doit forks its workers."""

    def follow() -> None:
        if os.getppid() == command:
            syscalls.die_with(command)

    os.register_at_fork(after_in_child=follow)


def watch() -> None:
    """Watch the workers there are; called in the command's own process whenever a task begins."""
    new = [process for process in multiprocessing.active_children() if process not in _known]
    if new:
        _known.extend(new)
        signal.signal(signal.SIGCHLD, _look)


def end_all() -> None:
    """Wait for workers that were told to stop, then kill what has not: a stage may be killed at any moment."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    end = time.monotonic() + _SECONDS_TO_STOP
    for process in multiprocessing.active_children():
        process.join(max(0.0, end - time.monotonic()))
        if process.is_alive():
            process.kill()
            process.join()


def _look(_number: int, _frame: object) -> None:
    mine = [process for process in _known if process in multiprocessing.active_children() or process.exitcode]
    killed = [process for process in mine if (process.exitcode or 0) < 0]
    if killed:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for process in mine:
            process.kill()
        said = signal.Signals(-(killed[0].exitcode or 0)).name
        tell_at_once(f"a process of the build was killed by {said} (out of memory? build again)")
        sys.exit(1)
