"""An ordinary user of the host, made for a test and removed after it.

What a run that was killed left of the user is removed first: processes, home, group. Of two runs at a time, one waits.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pwd
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def ordinary_user(name: str) -> Iterator[pwd.struct_passwd]:
    """Make the user while the body runs; needs root."""
    home = Path("/home", name)
    with Path("/run", f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _remove(name, home)
        try:
            # a half-made user is removed as well
            subprocess.run(["useradd", "--create-home", "--home-dir", home, "--shell", "/bin/bash", name], check=True)
            yield pwd.getpwnam(name)
        finally:
            _remove(name, home)


def _remove(name: str, home: Path) -> None:
    ids = _ids_of(name)
    deadline = time.monotonic() + 30
    while running := [process for process in _processes() if _owner(process) in ids]:
        assert time.monotonic() < deadline, f"processes of {name} do not end: {running}"
        for process in running:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        time.sleep(0.05)
    for database, command in (("passwd", "userdel"), ("group", "groupdel")):
        if subprocess.run(["getent", database, name], stdout=subprocess.DEVNULL, check=False).returncode == 0:
            subprocess.run([command, name], check=True, capture_output=True)
    if home.exists():
        shutil.rmtree(home)


def _ids_of(name: str) -> frozenset[int]:
    """Return the user's id and sub-ids; none when there is no such user."""
    try:
        own = pwd.getpwnam(name).pw_uid
    except KeyError:
        return frozenset()
    rows = [line.split(":") for line in Path("/etc/subuid").read_text().splitlines()]
    lent = [range(int(start), int(start) + int(count)) for owner, start, count in rows if owner == name]
    return frozenset({own}.union(*lent))


def _processes() -> list[int]:
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]


def _owner(process: int) -> int | None:
    """Return the user id of a process, none of one that is over: a zombie is for its parent to reap."""
    try:
        status = dict(line.split(":\t", 1) for line in Path(f"/proc/{process}/status").read_text().splitlines())
    except OSError:
        return None
    return None if status["State"].startswith("Z") else int(status["Uid"].split()[0])
