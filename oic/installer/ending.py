"""What follows an installation in the installer's system: a reboot, or shells on the consoles.

A CD is ejected: a firmware that boots CDs first would start the installer again. A stick has to be pulled out.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import TYPE_CHECKING

from .disks import medium_device
from .door import run
from .errors import InstallError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .disks import Machine
    from .screen import Screen

_CDROM_LOCKDOOR, _CDROMEJECT = 0x5329, 0x5309
FAILURE = Path("/run/oic/failure")
"""Why the installation failed: each shell shows it first, below what systemd says meanwhile."""
SHELL_UNIT = "oic-installer-shell@"


def leave(what: str, screen: Screen, consoles: Sequence[Path], machine: Machine) -> None:
    """Reboot, power off or open shells; what systemd does not take is said."""
    try:
        if what == "shell":
            open_shells(consoles)
        else:
            advice = "the medium was ejected" if eject(medium_device(machine)) else "remove the medium"
            screen.say(f"{'Rebooting' if what == 'reboot' else 'Powering off'}: {advice}.")
            run(["systemctl", "--no-block", what])
    except InstallError as error:
        screen.say(str(error))


def eject(device: str) -> bool:
    """Unmount and eject a CD, and tell whether that was done (Linux, include/uapi/linux/cdrom.h)."""
    if not Path(device).name.startswith("sr"):
        return False
    try:
        run(["umount", device])
        fd = os.open(device, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            fcntl.ioctl(fd, _CDROM_LOCKDOOR, 0)
            fcntl.ioctl(fd, _CDROMEJECT)
        finally:
            os.close(fd)
    except (InstallError, OSError):  # in use, or a drive that cannot
        return False
    return True


def open_shells(consoles: Sequence[Path]) -> None:
    """Start a shell on each console; tty0 is whichever virtual terminal is shown, so it has that of the first."""
    names = ["tty1" if path.name == "tty0" else path.name for path in consoles] or ["tty1"]
    units = [f"{SHELL_UNIT}{name}.service" for name in dict.fromkeys(names)]
    run(["systemctl", "--no-block", "start", *units])
