# ruff: noqa: INP001  the folders of tests are packages, it is none itself
"""Removes the temporary directories of test runs that were killed: pytest keeps them for three days, images and all."""

from __future__ import annotations

import fcntl
import os
import shutil
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

settings.register_profile("untimed", deadline=None)  # a limit of milliseconds fails on a machine that is busy
settings.load_profile("untimed")

ALIVE = ".alive"
"""In the directory of a run: locked as long as the run, or a process it forked, is there."""


@pytest.fixture(scope="session", autouse=True)
def _remove_directories_of_killed_runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    own = tmp_path_factory.getbasetemp()
    aside = own / f"{ALIVE}.part"
    descriptor = os.open(aside, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    aside.rename(own / ALIVE)  # once it has this name, it is locked
    for other in own.parent.glob("pytest-*"):
        # pytest takes its own .lock away at the end of a run
        if not other.is_symlink() and other != own and (other / ".lock").exists() and _is_over(other):
            shutil.rmtree(other, ignore_errors=True)
    yield
    os.close(descriptor)


def _is_over(run: Path) -> bool:
    try:
        with (run / ALIVE).open() as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # locked, or not there: pytest itself removes it in time
        return False
    return True
