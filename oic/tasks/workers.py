"""The worker processes of ``doit -n``: none outlives the command, and one that is killed ends the build.

* doit would wait for the answer of a killed worker for ever, and a worker for the next task of a killed command.
* The others are killed too: what they started dies with them, and a stage may be killed at any moment.
"""

from __future__ import annotations

import atexit
import contextlib
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
_SECONDS_BETWEEN_LOOKS = 1.0
_known: set[BaseProcess] = set()
_killed: list[BaseProcess] = []


@functools.cache
def end_with(command: int) -> None:
    """Have every process that this one, `command`, forks end when it ends; called before doit forks its workers."""
    forked_by_command = False

    def note_who_forks() -> None:
        nonlocal forked_by_command
        forked_by_command = os.getpid() == command

    def follow() -> None:
        if signal.getsignal(signal.SIGCHLD) is _look:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        # That the parent is another one may mean that the command is gone; 0 is the parent in a new pid namespace.
        if forked_by_command and os.getppid():
            syscalls.die_with(command)

    os.register_at_fork(before=note_who_forks, after_in_child=follow)


def watch() -> None:
    """Watch the workers that will be forked; called in the command's own process before a task can run."""
    signal.signal(signal.SIGCHLD, _look)


def keep_watch() -> None:
    """Look from time to time, too: Python may begin to wait just after a signal. Called whenever a task begins."""
    if multiprocessing.active_children() and signal.getsignal(signal.SIGALRM) is not _look:
        _look_every(_SECONDS_BETWEEN_LOOKS)


def end_all() -> None:
    """Wait for workers that were told to stop, then kill what has not: a stage may be killed at any moment."""
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    end = time.monotonic() + _SECONDS_TO_STOP
    for process in multiprocessing.active_children():
        process.join(max(0.0, end - time.monotonic()))
        if process.is_alive():
            process.kill()
            process.join()


def _look_every(seconds: float) -> None:
    signal.signal(signal.SIGALRM, _look)
    signal.setitimer(signal.ITIMER_REAL, seconds, seconds)
    atexit.register(signal.setitimer, signal.ITIMER_REAL, 0)  # Python ends without handlers: it would be killed


def _leave() -> None:
    """End without waiting for the threads of the workers' queues: one may wait for a lock that the killed one held."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(1)


def _look(_number: int, _frame: object) -> None:
    _known.update(multiprocessing.process._children)  # type: ignore[attr-defined] # noqa: SLF001 - active_children() forgets the dead
    killed = [worker for worker in _known if (worker.exitcode or 0) < 0]
    if killed and not _killed:
        _killed.append(killed[0])
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        _look_every(_SECONDS_TO_STOP)  # Python drops an exit within a destructor: then the next look exits
        atexit.register(_leave)
        for worker in _known:
            worker.kill()
        said = signal.Signals(-(killed[0].exitcode or 0)).name
        tell_at_once(f"a process of the build was killed by {said} (out of memory? build again)")
    if killed:
        sys.exit(1)
