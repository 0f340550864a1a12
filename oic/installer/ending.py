"""What follows an installation in the installer's system: a reboot, or shells on the consoles."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .door import run
from .errors import InstallError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .screen import Screen

FAILURE = Path("/run/oic/failure")
"""Why the installation failed: each shell shows it first, below what systemd says meanwhile."""
SHELL_UNIT = "oic-installer-shell@"


def leave(what: str, screen: Screen, consoles: Sequence[Path]) -> None:
    """Reboot, power off or open shells; what systemd does not take is said."""
    try:
        if what == "shell":
            open_shells(consoles)
        else:
            screen.say("Rebooting: remove the medium." if what == "reboot" else "Powering off.")
            run(["systemctl", "--no-block", what])
    except InstallError as error:
        screen.say(str(error))


def open_shells(consoles: Sequence[Path]) -> None:
    """Start a shell on each console; tty0 is whichever virtual terminal is shown, so it has that of the first."""
    names = ["tty1" if path.name == "tty0" else path.name for path in consoles] or ["tty1"]
    units = [f"{SHELL_UNIT}{name}.service" for name in dict.fromkeys(names)]
    run(["systemctl", "--no-block", "start", *units])
