"""Boots an image and compares it with what is expected.

    firmware → kernel → system → login prompt → shell ─┬─ all units up?
                                                       ├─ packages as expected?
                                                       ├─ the root verified, where it has a root hash?
                                                       └─ report

* The image is not changed. For an image without users, and to read the journal of a failed unit, systemd adds a second
  root account to the running system: a ``tmpfiles.extra`` credential appends a line to /etc/passwd before any login
  (systemd-tmpfiles(8), since 252; tmpfiles.d(5), ``w+``).
* The password of that account is public. The account exists only in the memory of a machine that nobody can reach.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from oic.boottest.checks import checked_packages, failed_units, journals, read_facts
from oic.boottest.report import Report, listing
from oic.boottest.session import LOGIN, log_in
from oic.boottest.verity import check_root
from oic.boottest.vm import started

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from oic.boottest.console import Console
    from oic.boottest.session import Session
    from oic.boottest.vm import Machine

TIMEOUT = 600.0
MILESTONES = {
    "firmware": r"BdsDxe: starting|SeaBIOS \(version",
    "GRUB": r"Welcome to GRUB!",
    "kernel": r"EFI stub:|Linux version|^\[ +\d+\.\d{6}\]",
    "system": r"Welcome to (?!GRUB).{4}|systemd\[1\]: Detected architecture",
}
PROBE = "oic-boot-test"
PROBE_PASSWORD = "oic-boot-test"  # noqa: S105 - see the module's second rule
# `openssl passwd -6 -salt oicboottest oic-boot-test`; in passwd itself (passwd(5)): shadow then needs no line.
PROBE_HASH = "$6$oicboottest$9JiT9RBNjDOG..w.nidfSVE6NGxhtClT5Qt1GeojNde0A8uygn5wgWuUAYS6vWjEYP/cg/.D4msm97aXrGj.B."
CREDENTIALS = {"tmpfiles.extra": f"w+ /etc/passwd - - - - {PROBE}:{PROBE_HASH}:0:0::/root:/bin/sh\\n\n"}


def boot_test(  # noqa: PLR0913 - an image and everything it is compared with
    image: Path | None,
    machine: Machine,
    *,
    expected: Mapping[str, str],
    list_command: Sequence[str],
    users: Sequence[tuple[str, str]],
    log: Path,
    timeout: float = TIMEOUT,
    report: Callable[[str], None],
    root_hash: str = "",
) -> Report:
    """Boot `image`, or the machine's medium, log in as each of `users` and compare its packages with `expected`.

    Of a user there are name and plain password.

    `expected` is ``name`` or ``name:architecture`` → version; `list_command` prints the
    installed ones, as `parse_packages` reads them. `report` gets a line for each step, `log` the whole console. Raises
    BootError when anything is not as it should be within `timeout` seconds, ToolError when the host has no qemu. With a
    `root_hash`, the root has to be verified against that: all of it is read.
    """
    start = time.monotonic()
    deadline = start + timeout
    with started(image, machine, credentials=CREDENTIALS, log=log) as console:
        await_login(console, start, deadline, report)
        seconds = time.monotonic() - start
        (first, password), *others = users or [(PROBE, PROBE_PASSWORD)]
        session = _logged_in(console, first, password, deadline, report)
        _check_units(console, session, deadline)
        report("the system is running, no unit failed")
        packages = checked_packages(session, expected, list_command, deadline)
        report(f"all {len(packages)} packages are the expected ones")
        facts = read_facts(session, deadline)
        for name, secret in others:
            session.log_out(deadline)
            session = _logged_in(console, name, secret, deadline, report)
        if root_hash:
            report(f"the root is {check_root(_as_root(console, session, deadline), root_hash, deadline)}")
    return Report(
        kernel=facts.kernel,
        os_release=facts.os_release,
        mounts=facts.mounts,
        machine_id=facts.machine_id,
        host_keys=facts.host_keys,
        packages=packages,
        failed_units=(),
        users=tuple(name for name, _ in users),
        seconds_to_login=round(seconds, 1),
        root_hash=root_hash,
    )


def await_login(console: Console, start: float, deadline: float, report: Callable[[str], None]) -> None:
    """Wait for a login prompt on the console, and report the progress of the boot."""
    ahead = dict(MILESTONES)
    stage = "nothing"
    while True:
        match = console.expect(f"a login prompt ({stage} seen so far)", {**ahead, "login": rf"(?={LOGIN})"}, deadline)
        stage = match.lastgroup or ""
        report(f"{'login prompt' if stage == 'login' else stage} after {time.monotonic() - start:.0f} s")
        if stage == "login":
            return
        del ahead[stage]


def _logged_in(console: Console, name: str, password: str, deadline: float, report: Callable[[str], None]) -> Session:
    session = log_in(console, name, password, deadline)
    who = session.run("id", deadline).text
    report(f"logged in: {who}")
    return session


def _check_units(console: Console, session: Session, deadline: float) -> None:
    """Raise BootError when a unit failed, with its journal, which only root may read."""
    units = failed_units(session, deadline)
    if not units:
        return
    session = _as_root(console, session, deadline)
    said = journals(session, units, deadline)
    raise session.failure(f"expected every unit to start, but {len(units)} failed: {listing(units)}{said}")


def _as_root(console: Console, session: Session, deadline: float) -> Session:
    """Return a session that may read everything."""
    if session.user == PROBE:
        return session
    session.log_out(deadline)
    return log_in(console, PROBE, PROBE_PASSWORD, deadline)
