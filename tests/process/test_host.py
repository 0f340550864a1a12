"""Failures of the host are told from faults of the input, and say how much space is left."""

from __future__ import annotations

import errno
import os
import re
import shutil
from pathlib import Path

import pytest

from oic.errors import OicError
from oic.process.host import disk_errors, full_disk_in, is_host_failure, while_doing

HOST = ("ENOSPC", "EDQUOT", "EIO", "EROFS", "EMFILE", "ENFILE", "ENOMEM")
INPUT = ("EEXIST", "ENOTDIR", "ENAMETOOLONG", "EINVAL", "EPERM", "ELOOP")


def test_a_failure_of_the_host_is_no_fault_of_the_input() -> None:
    errors = {name: OSError(getattr(errno, name), "") for name in (*HOST, *INPUT)}
    assert [name for name, error in errors.items() if is_host_failure(error)] == [*HOST]


HINT = "(make room, or say cache=DIRECTORY for another disk, and build again: what is finished stays)"


@pytest.mark.parametrize("name", ["ENOSPC", "EDQUOT"])
def test_a_full_disk_is_said_with_the_space_left_and_what_needed_it(name: str, tmp_path: Path) -> None:
    with pytest.raises(OicError) as raised, disk_errors(tmp_path / "not/made"), while_doing("unpacking vim"):
        raise OSError(getattr(errno, name), os.strerror(getattr(errno, name)))
    free = r"no space left in /\S* \(\d+ MiB free\) while unpacking vim "
    assert re.fullmatch(free + re.escape(HINT), str(raised.value))


def test_a_real_full_disk_is_recognised() -> None:
    full = Path("/dev/full")
    with pytest.raises(OicError, match=r"no space left in /dev\S* \(\d+ MiB free\) \(make room"), disk_errors(full):
        full.write_bytes(b"x")


def test_a_program_that_says_so_on_a_disk_with_room_had_another_disk(tmp_path: Path) -> None:
    said = "Setting up vim (2:9) ...\ncp: error writing 'x': No space left on device\n"
    roomy = shutil.disk_usage(tmp_path).free > 1 << 30
    found = full_disk_in(said, tmp_path / "log", "dpkg")
    assert (found is None) == roomy
    assert full_disk_in("Setting up vim", tmp_path / "log", "dpkg") is None


def test_a_cache_of_another_user_has_its_own_hint(tmp_path: Path) -> None:
    expected = r"Permission denied \(if the cache belongs to another user"
    with pytest.raises(OicError, match=expected), disk_errors(tmp_path):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def test_what_is_no_error_of_a_file_passes(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="a bug"), disk_errors(tmp_path):
        raise ValueError("a bug")
