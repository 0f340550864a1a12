"""How the command ends when it is stopped: by SIGTERM or Ctrl-C, every with statement ends in order."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

from oic.progress import tell_at_once
from oic.tasks import workers

if TYPE_CHECKING:
    from sys import UnraisableHookArgs


def end_in_order() -> None:
    """Turn SIGTERM and Ctrl-C into an exit.

    A worker gets Ctrl-C from the terminal and SIGTERM from the command. Python may have it exit within a destructor,
    and reports an exit there as an ignored exception: that is no error.
    """
    command = os.getpid()
    stopped = False
    workers.end_with(command)

    def leave(number: int, _frame: object) -> None:
        nonlocal stopped
        if os.getpid() == command and not stopped:  # not once more from each process of the build
            tell_at_once("stopped: what is finished stays, the same command goes on from there")
        stopped = True
        sys.exit(128 + number)

    def report(ignored: UnraisableHookArgs) -> None:
        if not isinstance(ignored.exc_value, SystemExit):
            sys.__unraisablehook__(ignored)

    sys.unraisablehook = report

    signal.signal(signal.SIGTERM, leave)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # ignored in the background: left so
        signal.signal(signal.SIGINT, leave)
