"""Runs an installation without a person: boots a medium beside an empty disk, until the machine restarts.

What was installed is then booted without the medium, by `oic.boottest.boot`.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from oic.boottest.boot import MILESTONES
from oic.boottest.console import DEAD_ENDS
from oic.boottest.failure import BootError, with_tail
from oic.boottest.vm import started

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from oic.boottest.vm import Machine

_FAILED = r"The installation failed:[^\n]*"
_STEPS = {
    "kernel": MILESTONES["kernel"],
    "installer": r"Installing [^\n]*",
    "written": r"Installed [^\n]*",
    "end": r"reboot: Restarting system",
}


def install(disk: Path, machine: Machine, log: Path, timeout: float, report: Callable[[str], None]) -> float:
    """Install from the machine's medium onto `disk`; return the seconds from power on until the restart.

    Raises BootError when the installer says that it failed, or does not end within `timeout` seconds.
    """
    start = time.monotonic()
    with started(disk, machine, credentials={}, log=log) as console:
        console.dead_ends = {name: pattern for name, pattern in DEAD_ENDS.items() if name != "halt"}
        ahead = dict(_STEPS)
        while True:
            match = console.expect("the end of the installation", {**ahead, "failed": _FAILED}, start + timeout)
            step = match.lastgroup or ""
            if step == "failed":
                time.sleep(1)
                raise BootError(with_tail(match[0], console.text), where=str(log))
            seconds = time.monotonic() - start
            said = re.sub(r"[^ -~]", "", match[0]) if step in ("installer", "written") else step
            report(f"{said} after {seconds:.0f} s")
            if step == "end":
                return seconds
            del ahead[step]
