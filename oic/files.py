"""Reading and writing files: regular files only, written under a temporary name and renamed last; their digests.

An interrupted write leaves nothing under the final name. The next write of that name removes the temporary file that a
killed one left.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import glob
import hashlib
import json
import os
import secrets
import stat
from typing import IO, TYPE_CHECKING, Any, BinaryIO

from oic.errors import OicError
from oic.values import Digest, to_json

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def digest_of_file(path: Path) -> Digest:
    """Return the sha256 of a file's content; raises OSError."""
    with path.open("rb") as file:
        return Digest(hashlib.file_digest(file, "sha256").hexdigest())


def opened_regular(path: str | Path) -> BinaryIO:
    """Open a regular file to read; raises OSError. Nothing is waited for: a pipe would wait for its writer."""
    if not stat.S_ISREG(os.stat(path).st_mode):  # to open some devices is to do something
        raise OSError(errno.EINVAL, "no regular file", str(path))
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    file = open(descriptor, "rb")  # noqa: SIM115 - the caller's to close
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        file.close()
        raise OSError(errno.EINVAL, "no regular file", str(path))
    return file


def copied(source: IO[bytes], target: IO[bytes] | None = None) -> Digest:
    """Copy an open file, or only read it; return the sha256 of what was read.

    Raises OSError when it is not as long as it says: it is being changed, or is one of the kernel's, without an end.
    """
    whole = hashlib.sha256()
    left = os.fstat(source.fileno()).st_size
    while left and (data := source.read(min(left, _PIECE))):
        left -= len(data)
        whole.update(data)
        if target:
            target.write(data)
    if left or source.read(1):
        raise OSError(errno.EINVAL, "it is not as long as it says: it is being changed, or made up by the kernel")
    return Digest(whole.hexdigest())


_PIECE = 1 << 20


def read_regular(path: Path, limit: int) -> bytes:
    """Return the content of a regular file as it is long now; raises OSError, and never waits for a pipe or device."""
    with opened_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > limit:
            raise OSError(errno.EFBIG, f"no regular file of at most {limit} bytes", str(path))
        return file.read(size)


def digest_of_sparse(path: Path) -> Digest:
    """Return a digest of a file that is mostly zeros: of its blocks that are not, each with its place.

    What is a hole and what is written as zeros differs between file systems and shows in no way.
    """
    whole = hashlib.sha256()
    with open_made(path) as file:
        size = os.fstat(file.fileno()).st_size
        whole.update(b"%d\n" % size)
        at = _data_from(file.fileno(), 0)
        while at < size:
            block = os.pread(file.fileno(), _BLOCK, at)
            if block != _ZEROS[: len(block)]:
                whole.update(b"%d\n" % at + block)
            at = _data_from(file.fileno(), at + _BLOCK)
    return Digest(whole.hexdigest())


_BLOCK = 1 << 16
_ZEROS = bytes(_BLOCK)


def _data_from(descriptor: int, offset: int) -> int:
    """Return the first block at or after `offset` that is not a hole; far behind the end when there is none."""
    try:
        return max(offset, os.lseek(descriptor, offset, os.SEEK_DATA) // _BLOCK * _BLOCK)
    except OSError as error:
        if error.errno != errno.ENXIO:  # ENXIO: a hole up to the end
            raise
        return 1 << 62


@contextlib.contextmanager
def written_aside(path: Path) -> Iterator[Path]:
    """Yield a temporary name beside `path`; rename it to `path` on success, delete it on failure.

    Raises OicError when it is not a file any more: a tool that was to write there has put something else in its place.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_abandoned(path)
    descriptor, aside = _locked_aside(path)
    try:
        yield aside
        open_made(aside).close()
        aside.replace(path)
    finally:
        with contextlib.suppress(IsADirectoryError):
            aside.unlink(missing_ok=True)
        os.close(descriptor)


def open_made(path: Path, mode: str = "rb") -> IO[bytes]:
    """Open a file that a program made; raises OicError when it is none.

    A link would be followed by this process: to /proc/self/exe, say, or to what it has open.
    """
    try:
        file = open(path, mode, opener=_not_followed)  # noqa: SIM115 - the caller closes it
    except OSError as error:
        if error.errno not in (errno.ELOOP, errno.ENOENT, errno.ENXIO, errno.EISDIR):
            raise
        raise OicError("expected a file, as a program was to make it, found another kind", where=str(path)) from error
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OicError("expected a file, as a program was to make it, found another kind", where=str(path))
    return file


def _not_followed(name: str, flags: int) -> int:
    return os.open(name, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)


def _locked_aside(path: Path) -> tuple[int, Path]:
    """Make a temporary file that is known by its lock to be someone's; its mode is the umask's."""
    while True:
        aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        try:
            descriptor = os.open(aside, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        except FileExistsError:
            continue
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if os.fstat(descriptor).st_nlink:
            return descriptor, aside
        os.close(descriptor)  # removed as abandoned before it was locked


def remove_abandoned(path: Path) -> None:
    """Remove what killed writers of `path` left beside it."""
    for found in path.parent.glob(f".{glob.escape(path.name)}.????????"):
        with contextlib.suppress(FileNotFoundError, BlockingIOError, IsADirectoryError), found.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            found.unlink()


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically."""
    with written_aside(path) as aside:
        aside.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Write a value's canonical JSON atomically."""
    write_text(path, to_json(value))


def read_json(path: Path) -> Any:
    """Read a JSON file; raises OSError or ValueError."""
    return json.loads(path.read_text(encoding="utf-8"))
