"""The command: ``python3 -m oic_installer [--dry-run] [--disk FILE] [MEDIUM]``."""

from __future__ import annotations

import argparse
import sys
import traceback
from pathlib import Path

from .disks import Machine
from .errors import InstallError
from .install import Job, install
from .log import PATH, close_log, open_log, write_log
from .screen import Screen, consoles_of


def main(arguments: list[str] | None = None) -> int:
    """Install; return 0, or 1 if the installation failed. Wrong arguments are status 2."""
    options = _parser().parse_args(arguments)
    machine = Machine(medium=options.medium)
    screen = Screen([] if options.disk or options.dry_run else consoles_of(machine.sys, machine.dev))
    if options.log:
        open_log(options.log)
    try:
        install(Job(machine=machine, file=options.disk, dry_run=options.dry_run), screen)
    except InstallError as error:
        return _fail(screen, str(error), options.log)
    except Exception as error:  # noqa: BLE001 - whatever happens, the consoles say it
        write_log(traceback.format_exc())
        return _fail(screen, f"an error of the installer itself: {error!r}", options.log)
    finally:
        close_log()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="oic_installer", description="Install the medium's image onto a disk.")
    parser.add_argument("medium", nargs="?", type=Path, default=Machine().medium, help="where it is mounted")
    parser.add_argument("--dry-run", action="store_true", help="check all, say what would be done, write nothing")
    parser.add_argument("--disk", default="", metavar="FILE", help="install onto a plain file")
    parser.add_argument("--log", type=Path, default=None, help=f"where the log goes, such as {PATH}")
    return parser


def _fail(screen: Screen, text: str, log: Path | None) -> int:
    where = f"\nThe log is {log}." if log else ""
    screen.say(f"The installation failed:\n{text}{where}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
