"""Downloads from file URLs (RFC 8089)."""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import unquote, urlsplit

from oic.errors import FetchError
from oic.ospackage.answers import TransientError
from oic.ospackage.fetch import Fetched, NotFound, redacted
from oic.values import parse_number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from oic.ospackage.answers import Transfer

CHUNK = 2**16


def read_body(chunks: Iterator[bytes], url: str, limit: int, declared: str) -> bytes:
    """Return the body; raises FetchError as soon as its length, or its declared length, exceeds `limit`."""
    body = bytearray()
    too_long = (parse_number(declared) or 0) > limit
    while not too_long and (chunk := next(chunks, b"")):
        body += chunk
        too_long = len(body) > limit
    if too_long:
        hint = "is this the right URL?"
        raise FetchError(f"expected at most {limit} bytes, found more", where=redacted(url), hint=hint)
    return bytes(body)


def read_local(url: str, limit: int, etag: str) -> Fetched:
    """Return a document of at most `limit` bytes, with time and size as ETag; raises NotFound or FetchError."""
    with _local(url) as file:
        status = os.fstat(file.fileno())
        current = f'"{status.st_mtime_ns}-{status.st_size}"'
        if current == etag:
            return Fetched(url=url, body=None, etag=etag, last_modified="")
        body = read_body(iter(functools.partial(file.read, CHUNK), b""), url, limit, str(status.st_size))
        return Fetched(url=url, body=body, etag=current, last_modified="")


def copy_local(transfer: Transfer) -> None:
    """Copy the rest of the file; raises NotFound, WrongSize or FetchError."""
    offset = transfer.offset()
    with _local(transfer.url) as file:
        transfer.accept_size(str(os.fstat(file.fileno()).st_size))
        file.seek(offset)
        try:
            transfer.write(iter(functools.partial(file.read, CHUNK), b""))
        except TransientError as failure:  # the file was truncated while it was read
            raise FetchError(str(failure), where=transfer.url, hint=failure.hint) from failure


@contextlib.contextmanager
def _local(url: str) -> Iterator[BinaryIO]:
    """Open the regular file of a file URL (RFC 8089); raises NotFound or FetchError."""
    parts = urlsplit(url)
    if parts.netloc not in ("", "localhost"):
        hint = "write file:///path"
        raise FetchError("expected a file URL of this machine", where=redacted(url), hint=hint)
    path = Path(unquote(parts.path))
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # opening a pipe would block
            raise FetchError("expected a regular file", where=url)
        file = path.open("rb")
    except OSError as error:
        kind = NotFound if error.errno in (errno.ENOENT, errno.ENOTDIR) else FetchError
        raise kind(f"cannot read: {error.strerror}", where=url) from error
    with file:
        yield file
