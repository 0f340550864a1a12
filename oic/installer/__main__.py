"""The command: ``python3 -m oic_installer [--service] [--dry-run] [--answers FILE] [--disk FILE] [MEDIUM]``.

As the service of the installer's system it reboots when it is done, and opens shells on the consoles when it failed.
"""

from __future__ import annotations

import argparse
import sys
import traceback
from pathlib import Path

from .disks import Machine
from .ending import FAILURE, leave
from .errors import InstallError
from .install import Job, install
from .log import PATH, close_log, open_log, write_log
from .screen import Screen, consoles_of


def main(arguments: list[str] | None = None) -> int:
    """Install; return 0, or 1 if the installation failed. Wrong arguments are status 2."""
    options = _parser().parse_args(arguments)
    machine = Machine(medium=options.medium)
    consoles = consoles_of(machine.sys, machine.dev) if options.service else []
    screen = Screen(consoles)
    if options.log or options.service:
        open_log(options.log or PATH)
    try:
        job = Job(machine=machine, answers=options.answers, file=options.disk, dry_run=options.dry_run)
        answers = install(job, screen)
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - whatever it is, the consoles say it
        if not isinstance(error, InstallError):
            write_log(traceback.format_exc())
        _say_failure(screen, error, options)
        if options.service:
            leave("shell", screen, consoles, machine)
        return 1
    else:
        if options.service:
            leave(answers.reboot, screen, consoles, machine)
        return 0
    finally:
        close_log()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="oic_installer", description="Install the medium's image onto a disk.")
    parser.add_argument("medium", nargs="?", type=Path, default=Machine().medium, help="where it is mounted")
    parser.add_argument("--service", action="store_true", help="speak on the consoles, reboot at the end")
    parser.add_argument("--dry-run", action="store_true", help="check all, say what would be done, write nothing")
    parser.add_argument("--answers", type=Path, metavar="FILE", help="answers that win over all others")
    parser.add_argument("--disk", default="", metavar="FILE", help="install onto a plain file")
    parser.add_argument("--log", type=Path, default=None, help=f"where the log goes, such as {PATH}")
    return parser


def _say_failure(screen: Screen, error: BaseException, options: argparse.Namespace) -> None:
    if isinstance(error, InstallError):
        text = str(error)
    elif isinstance(error, KeyboardInterrupt):
        text = "it was interrupted"
    elif isinstance(error, MemoryError):
        text = "the machine has too little memory"
    elif isinstance(error, OSError):
        text = f"{error.filename or 'the system'}: {error.strerror}"
    else:
        text = f"an error of the installer itself: {error!r}"
    log = options.log or (PATH if options.service else None)
    said = f"The installation failed:\n{text}{f'{chr(10)}The log is {log}.' if log else ''}"
    screen.say(said)
    if options.service:
        FAILURE.write_text(f"{said}\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
