"""Checks of a booted machine: its units, its packages, and facts about it.

Each check raises BootError that says what was found; the console log is kept.
"""

from __future__ import annotations

import shlex
import time
from typing import TYPE_CHECKING

from oic.boottest.report import (
    Facts,
    listing,
    package_differences,
    parse_failed_units,
    parse_host_keys,
    parse_mounts,
    parse_os_release,
    parse_packages,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from oic.boottest.session import Session

POLL = 2.0
JOURNAL_LINES = 15
STARTING = ("initializing", "starting", "")
"""States of ``systemctl is-system-running`` during the boot."""


def failed_units(session: Session, deadline: float) -> tuple[str, ...]:
    """Wait until systemd has finished the boot; return the units that failed."""
    state = ""
    while state in STARTING:
        if time.monotonic() > deadline:
            raise session.failure(f"the boot did not finish in time: systemd is still {state}")
        if state:
            time.sleep(POLL)
        state = session.run("systemctl is-system-running", deadline).text.strip()
    if state == "running":
        return ()
    units = parse_failed_units(_output(session, "systemctl --failed --plain --no-legend", deadline))
    if not units:
        raise session.failure(f"expected systemd to be running, but it says: {state}")
    return units


def journals(session: Session, units: Sequence[str], deadline: float) -> str:
    """Return the last journal lines of each unit, indented for an error message."""
    parts = []
    for unit in units:
        command = f"journalctl --boot --no-pager --output=cat --lines={JOURNAL_LINES} --unit={shlex.quote(unit)}"
        lines = session.run(command, deadline).text.splitlines()
        parts += [f"\n  {unit}:", *(f"\n    {line}" for line in lines)]
    return "".join(parts)


def checked_packages(
    session: Session, expected: Mapping[str, str], list_command: Sequence[str], deadline: float
) -> dict[str, str]:
    """Return the installed packages; raises BootError when they are not those of `expected`."""
    found, broken = parse_packages(_output(session, shlex.join(list_command), deadline))
    problems = package_differences(expected, found)
    if broken:
        problems = (*problems, f"{len(broken)} not configured: {listing(broken)}")
    if problems:
        raise session.failure(
            f"expected the {len(expected)} packages of the lock, but in the image are {'; '.join(problems)}"
        )
    return found


def read_facts(session: Session, deadline: float) -> Facts:
    """Return facts about the machine."""
    keys = session.run("cat /etc/ssh/ssh_host_*_key.pub", deadline)  # an image without sshd has none
    return Facts(
        kernel=_output(session, "uname -r", deadline),
        os_release=parse_os_release(_output(session, "cat /etc/os-release", deadline)),
        mounts=parse_mounts(_output(session, "cat /proc/self/mounts", deadline)),
        machine_id=_output(session, "cat /etc/machine-id", deadline),
        host_keys=parse_host_keys(keys.text if keys.status == 0 else ""),
    )


def _output(session: Session, command: str, deadline: float) -> str:
    answer = session.run(command, deadline)
    if answer.status:
        raise session.failure(f"`{command}` as {session.user} ended with status {answer.status}: {answer.text.strip()}")
    return answer.text
