"""Failures of the host: its disk is full or broken, or it has no memory or file descriptors left.

They say nothing about the input: the same build can succeed elsewhere, so they are never reported as a fault of a
package or of the recipe. Only this module knows the symptoms of a full disk.
"""

from __future__ import annotations

import contextlib
import errno
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
MAKE_ROOM = "make room, or say cache=DIRECTORY for another disk, and build again: what is finished stays"
_WHILE = " while "
_NOT_FULL = 1 << 30
"""With so many bytes free, a program that says that its disk is full had another one: a tmpfs."""
_LOGGED_FULL = r"No space left on device|Disk quota exceeded"
_LOGGED_PACKAGE = r"(?m)^(Unpacking|Setting up|Processing triggers for) ([^\s:]+)"
"""How dpkg says what it does."""
_LOGGED_FAILURE = (
    r"(?m)^(?:.*: line \d+: +\d+ )?(?:Killed|Bus error)(?: \(core dumped\))?(?:$| {2}.*)"  # a shell, of its program
    r"|^.*'cp .*' failed with \d+$"  # dracut-install
    r"|^.*(?:No space left on device|Disk quota exceeded|fork: .*Cannot allocate memory).*$"
)
"""Log lines showing that a subprocess was killed or ran out of space although the script exited 0.

A program that crashes by itself does so on every machine; its exit status is left to its script to judge.
"""


class FullDiskError(OicError):
    """The disk of the cache is full."""


def full_disk(path: Path, doing: str) -> FullDiskError:
    """Return the error for the full disk that `path` is on; `doing` is what needed the space, or empty."""
    place = next(parent for parent in (path, *path.absolute().parents) if parent.is_dir())
    free = shutil.disk_usage(place).free >> 20
    while place != place.parent and place.parent.stat().st_dev == place.stat().st_dev:
        place = place.parent
    return FullDiskError(f"no space left in {place} ({free} MiB free){_WHILE if doing else ''}{doing}", hint=MAKE_ROOM)


@contextlib.contextmanager
def while_doing(text: str) -> Iterator[None]:
    """Let the error of a full disk say what needed the space."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            error.add_note(_WHILE + text)
        raise


def full_disk_in(output: str, log: Path, program: str) -> FullDiskError | None:
    """Return the error for a program that ended because the disk of the log is full, if its output says so."""
    if not re.search(_LOGGED_FULL, output) or shutil.disk_usage(log.parent).free > _NOT_FULL:
        return None
    packages = re.findall(_LOGGED_PACKAGE, output)
    doing = f"{packages[-1][0].lower()} {packages[-1][1]}" if packages else f"running {program}"
    return full_disk(log.parent, doing)


def is_host_failure(error: OSError) -> bool:
    """Tell whether the error is a failure of the host and says nothing about the input."""
    return error.errno in _FAILURES


def is_full_disk(error: OSError) -> bool:
    """Tell whether the error is that of a full disk or a used-up quota."""
    return error.errno in _FULL


def failure_in(log: str) -> str:
    """Return the first line of a log that shows a failure of the host; empty when there is none."""
    found = re.search(_LOGGED_FAILURE, log)
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
        notes = getattr(error, "__notes__", ())
        doing = next((note.removeprefix(_WHILE) for note in notes if note.startswith(_WHILE)), "")
        return full_disk(path, doing)
    if error.errno in _NOT_WRITABLE:
        hint = "if the cache belongs to another user, change its owner or use another cache: cache=DIRECTORY"
        return OicError(f"cannot use the cache: {reason}", where=str(path), hint=hint)
    return OicError(f"cannot use the cache: {reason}", where=str(path))
