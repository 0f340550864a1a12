"""Files are written under a temporary name and renamed when complete; only regular files are read.

An interrupted write leaves nothing under the final name. The next write to the same name removes the temporary file
that a killed process left.
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
from typing import IO, TYPE_CHECKING, Any

from oic.errors import OicError
from oic.values import Digest, to_json

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import BufferedReader
    from pathlib import Path


def digest_of_file(path: Path) -> Digest:
    """Return the sha256 of a file's content; raises OSError."""
    with path.open("rb") as file:
        return Digest(hashlib.file_digest(file, "sha256").hexdigest())


def open_regular(path: str | Path) -> BufferedReader:
    """Open a regular file for reading, and never block, as opening a pipe would; raises OSError."""
    if not stat.S_ISREG(os.stat(path).st_mode):  # opening some devices has side effects
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    file = open(descriptor, "rb")  # noqa: SIM115 - the caller closes it
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        file.close()
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    return file


def copy_and_hash(source: IO[bytes], target: IO[bytes] | None = None) -> Digest:
    """Read an open file, copy it to `target` if there is one, and return its sha256.

    Raises OSError when its length is not the length that stat reports: it is being changed, or it is a file of the
    kernel (/proc, /sys), whose content is generated.
    """
    whole = hashlib.sha256()
    left = os.fstat(source.fileno()).st_size
    while left and (data := source.read(min(left, _CHUNK))):
        left -= len(data)
        whole.update(data)
        if target:
            target.write(data)
    if left or source.read(1):
        raise OSError(errno.EINVAL, "its length differs from its size: it is being changed, or the kernel generates it")
    return Digest(whole.hexdigest())


_CHUNK = 1 << 20


def read_regular(path: Path, limit: int) -> bytes:
    """Return the content of a regular file of at most `limit` bytes; raises OSError, and never blocks."""
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > limit:
            raise OSError(errno.EFBIG, f"larger than {limit} bytes", str(path))
        return file.read(size)


def digest_of_sparse(path: Path) -> Digest:
    """Return a digest of the file's size and of its blocks that are not zeros, each with its offset.

    It is fast for a sparse file, and does not depend on which zeros are holes: that differs between file systems.
    """
    whole = hashlib.sha256()
    with open_output(path) as file:
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
    """Return the offset of the first block at or after `offset` that is not a hole; 1 << 62 when there is none."""
    try:
        return max(offset, os.lseek(descriptor, offset, os.SEEK_DATA) // _BLOCK * _BLOCK)
    except OSError as error:
        if error.errno != errno.ENXIO:  # ENXIO: only a hole is left
            raise
        return 1 << 62


@contextlib.contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Yield a temporary file in the directory of `path`; rename it to `path` on success, delete it on failure.

    Raises OicError when the temporary file is no regular file at the end: the tool that wrote it replaced it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_abandoned(path)
    descriptor, temporary = _create_locked(path)
    try:
        yield temporary
        open_output(temporary).close()
        temporary.replace(path)
    finally:
        with contextlib.suppress(IsADirectoryError):
            temporary.unlink(missing_ok=True)
        os.close(descriptor)


def open_output(path: Path, mode: str = "rb") -> IO[bytes]:
    """Open a file that a tool wrote; raises OicError when it is not a regular file.

    A symbolic link is refused: it could lead this process to /proc/self/exe or to one of its open files.
    """
    try:
        file = open(path, mode, opener=_open_nofollow)  # noqa: SIM115 - the caller closes it
    except OSError as error:
        if error.errno not in (errno.ELOOP, errno.ENOENT, errno.ENXIO, errno.EISDIR):
            raise
        found = "none" if error.errno == errno.ENOENT else "another kind"
        raise OicError(f"expected a regular file written by a tool, found {found}", where=str(path)) from error
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OicError("expected a regular file written by a tool, found another kind", where=str(path))
    return file


def _open_nofollow(name: str, flags: int) -> int:
    return os.open(name, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)


def _create_locked(path: Path) -> tuple[int, Path]:
    """Create a temporary file and lock it: the lock shows that its writer is alive. The umask decides its mode."""
    while True:
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        try:
            descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        except FileExistsError:
            continue
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if os.fstat(descriptor).st_nlink:
            return descriptor, temporary
        os.close(descriptor)  # another process removed it before it was locked


def remove_abandoned(path: Path) -> None:
    """Remove the temporary files that killed writers of `path` left."""
    for found in path.parent.glob(f".{glob.escape(path.name)}.????????"):
        with contextlib.suppress(FileNotFoundError, BlockingIOError, IsADirectoryError), found.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            found.unlink()


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically."""
    with atomic_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Write a value's canonical JSON atomically."""
    write_text(path, to_json(value))


def read_json(path: Path) -> Any:
    """Read a JSON file; raises OSError or ValueError."""
    return json.loads(path.read_text(encoding="utf-8"))


def data_in(file: int, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the ranges between two offsets that hold data; one range if the file system does not support holes."""
    at = start
    while at < end:
        try:
            at = os.lseek(file, at, os.SEEK_DATA)
        except OSError as error:
            if error.errno == errno.ENXIO:  # only a hole is left
                return
            raise
        stop = min(os.lseek(file, at, os.SEEK_HOLE), end)
        if at < stop:
            yield at, stop
        at = stop
