"""The worker processes of ``doit -n``: one that is killed ends the build. doit would wait for its answer for ever.

The others are killed too: what they started dies with them, and a stage may be killed at any moment.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

_known: list[BaseProcess] = []


def watch() -> None:
    """Watch the workers there are; called in the command's own process whenever a task begins."""
    new = [process for process in multiprocessing.active_children() if process not in _known]
    if new:
        _known.extend(new)
        signal.signal(signal.SIGCHLD, _look)


def _look(_number: int, _frame: object) -> None:
    mine = [process for process in _known if process in multiprocessing.active_children() or process.exitcode]
    killed = [process for process in mine if (process.exitcode or 0) < 0]
    if killed:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for process in mine:
            process.kill()
        said = signal.Signals(-(killed[0].exitcode or 0)).name
        os.write(2, f"\na process of the build was killed by {said} (was memory short? build again)\n".encode())
        sys.exit(1)
