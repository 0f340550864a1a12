"""Measures which lines of oic run, in every Python process whose environment has this directory on PYTHONPATH.

A forked child measures for itself. It may have another root, another user and a read-only file system when it ends, so
the directory for the results is opened before, all modules that writing them needs are imported before, and a child
that ends by ``os._exit`` writes them first. What runs between fork and exec, or in a process that is killed, is not
measured.
"""

from __future__ import annotations

import atexit
import os
import secrets
from typing import NoReturn

import coverage

_DIRECTORY = os.open(os.environ["OIC_REACH"], os.O_RDONLY | os.O_DIRECTORY)
_exit = os._exit
_measured: list[coverage.Coverage] = []


def _start() -> None:
    while _measured:
        _measured.pop().stop()  # the parent's
    measured = coverage.Coverage(data_file=None, include=["*/oic/*"], config_file=False)
    measured.start()
    _measured.append(measured)


def _write() -> None:
    while _measured:
        measured = _measured.pop()
        measured.stop()
        name = f"{os.getpid()}-{secrets.token_hex(8)}"
        file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644, dir_fd=_DIRECTORY)
        with os.fdopen(file, "wb") as opened:
            opened.write(measured.get_data().dumps())


def _write_and_exit(status: int) -> NoReturn:
    try:
        _write()
    finally:
        _exit(status)


os._exit = _write_and_exit
os.register_at_fork(after_in_child=_start)
atexit.register(_write)
coverage.CoverageData(no_disk=True).dumps()  # imports what it needs while the root is the host's
_start()
