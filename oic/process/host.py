"""Failures of the host: its disk is full or broken, or it has no memory or file descriptors left.

They say nothing about the input: the same build can succeed elsewhere, so they are never reported as a fault of a
package or of the recipe. Only this module knows the symptoms of a full disk.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
from typing import TYPE_CHECKING

from oic.errors import OicError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_NOT_WRITABLE = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_FAILURES = _FULL | {errno.EIO, errno.EROFS, errno.EMFILE, errno.ENFILE, errno.ENOMEM}
NO_SPACE = os.strerror(errno.ENOSPC)
MAKE_ROOM = "make room and build again: what is finished stays"
_LOGGED_FAILURE = re.compile(
    r"^(?:.*: line \d+: +\d+ )?(?:Killed|Bus error)(?: \(core dumped\))?(?:$| {2}.*)"  # a shell, of its program
    r"|^.*'cp .*' failed with \d+$"  # dracut-install
    r"|^.*(?:No space left on device|Disk quota exceeded|fork: .*Cannot allocate memory).*$",
    re.MULTILINE,
)
"""Log lines showing that a subprocess was killed or ran out of space although the script exited 0.

A program that crashes by itself does so on every machine; its exit status is left to its script to judge.
"""


def is_host_failure(error: OSError) -> bool:
    """Tell whether the error is a failure of the host and says nothing about the input."""
    return error.errno in _FAILURES


def failure_in(log: str) -> str:
    """Return the first line of a log that shows a failure of the host; empty when there is none."""
    found = _LOGGED_FAILURE.search(log)
    return " ".join(found[0].split())[:200] if found else ""


@contextlib.contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Raise OicError where the block's use of files at `path` raises OSError."""
    try:
        yield
    except OSError as error:
        raise disk_error(error, path) from error


def disk_error(error: OSError, path: Path) -> OicError:
    """Return an error that says what is wrong with the disk, and how much space is left on a full one."""
    reason = error.strerror or str(error)
    if error.errno in _FULL:
        place = next(parent for parent in (path, *path.absolute().parents) if parent.is_dir())
        free = shutil.disk_usage(place).free >> 20
        return OicError(f"cannot write: {reason}, {free} MiB free", where=str(path), hint=MAKE_ROOM)
    if error.errno in _NOT_WRITABLE:
        hint = "if the cache belongs to another user, change its owner or use another cache: cache=DIRECTORY"
        return OicError(f"cannot use the cache: {reason}", where=str(path), hint=hint)
    return OicError(f"cannot use the cache: {reason}", where=str(path))
