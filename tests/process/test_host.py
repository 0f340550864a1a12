"""Failures of the host are told from faults of the input, and say how much space is left."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from oic.errors import OicError
from oic.process.host import disk_errors, is_host_failure

HOST = ("ENOSPC", "EDQUOT", "EIO", "EROFS", "EMFILE", "ENFILE", "ENOMEM")
INPUT = ("EEXIST", "ENOTDIR", "ENAMETOOLONG", "EINVAL", "EPERM", "ELOOP")


def test_a_failure_of_the_host_is_no_fault_of_the_input() -> None:
    errors = {name: OSError(getattr(errno, name), "") for name in (*HOST, *INPUT)}
    assert [name for name, error in errors.items() if is_host_failure(error)] == [*HOST]


@pytest.mark.parametrize("name", ["ENOSPC", "EDQUOT"])
def test_a_full_disk_is_said_with_the_space_left(name: str, tmp_path: Path) -> None:
    path = tmp_path / "not/made"
    with pytest.raises(OicError) as raised, disk_errors(path):
        raise OSError(getattr(errno, name), os.strerror(getattr(errno, name)))
    words = f"{path}: cannot write: {os.strerror(getattr(errno, name))}, "
    assert str(raised.value).startswith(words)
    assert str(raised.value).endswith(" MiB free (make room and build again: what is finished stays)")


def test_a_real_full_disk_is_recognised() -> None:
    full = Path("/dev/full")
    with pytest.raises(OicError, match="cannot write: No space left on device"), disk_errors(full):
        full.write_bytes(b"x")


def test_a_cache_of_another_user_has_its_own_hint(tmp_path: Path) -> None:
    expected = r"Permission denied \(if the cache belongs to another user"
    with pytest.raises(OicError, match=expected), disk_errors(tmp_path):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def test_what_is_no_error_of_a_file_passes(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="a bug"), disk_errors(tmp_path):
        raise ValueError("a bug")
