"""Runs an installation without a person: boots a medium beside an empty disk, until the machine restarts.

What was installed is then booted without the medium, by `oic.boottest.boot`.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from oic.boottest.boot import MILESTONES
from oic.boottest.console import DEAD_ENDS
from oic.boottest.vm import started

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from oic.boottest.vm import Machine

_FAILED = r"The installation failed:[^\n]*"
_STEPS = {
    "kernel": MILESTONES["kernel"],
    "installer": r"Installing [^\n]*\n",
    "written": r"Installed [^\n]*\n",
    "end": r"reboot: Restarting system",
}


def install(disk: Path, machine: Machine, log: Path, timeout: float, report: Callable[[str], None]) -> float:
    """Install from the machine's medium onto `disk`; return the seconds from power on until the restart.

    Raises BootError when the installer says that it failed, or does not end within `timeout` seconds.
    """
    start = time.monotonic()
    with started(disk, machine, credentials={}, log=log) as console:
        others = {name: pattern for name, pattern in DEAD_ENDS.items() if name != "halt"}
        console.dead_ends = {**others, "installer": _FAILED}
        ahead = dict(_STEPS)
        while True:
            match = console.expect("the end of the installation", ahead, start + timeout)
            step = match.lastgroup or ""
            seconds = time.monotonic() - start
            said = re.sub(r"[^ -~]", "", match[0]) if step in ("installer", "written") else step
            report(f"{said} after {seconds:.0f} s")
            if step == "end":
                return seconds
            del ahead[step]
