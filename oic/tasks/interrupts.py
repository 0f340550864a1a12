"""How the command ends when it is stopped: by SIGTERM or Ctrl-C, every with statement ends in order."""

from __future__ import annotations

import os
import signal
import sys

from oic.progress import tell_at_once
from oic.tasks import workers


def end_in_order() -> None:
    """Turn SIGTERM and Ctrl-C into an exit."""
    command = os.getpid()
    workers.end_with(command)

    def leave(number: int, _frame: object) -> None:
        if os.getpid() == command:  # not once more from each process of the build
            tell_at_once("stopped: what is finished stays, the same command goes on from there")
        sys.exit(128 + number)

    signal.signal(signal.SIGTERM, leave)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # ignored in the background: left so
        signal.signal(signal.SIGINT, leave)
