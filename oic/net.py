"""The second seam: bytes from mirrors, over http, https and file URLs.

* Nothing fetched is trusted: who asks verifies. Here only sizes are held to: no answer is longer than asked for.
* Bytes are taken as served: a Content-Encoding is a property of the transport that mirrors misuse; never decoded.
* What may pass is retried with back-off: broken connections, stalls, 5xx, 429, cut-off bodies. What will not is told at
  once: a missing file, TLS that cannot be trusted, another size, a refused redirect.
* https never follows a redirect to http, nothing follows one to a file. Secrets of a URL appear in no message.
* Every failure is one `FetchError`: what was expected, what was found, the URL, what to do.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import random
import stat
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol, Self, TypeVar
from urllib.parse import unquote, urlsplit

import requests
import urllib3

from oic.answers import (
    NotFound,
    Passing,
    Transfer,
    WrongSize,
    expect_whole,
    explained,
    redacted,
    redirected,
    refuse_failure,
)
from oic.errors import FetchError
from oic.transport import Session, Watch, WatchedAdapter, extra_authority, tls_context
from oic.values import number_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Fetched", "Fetcher", "HttpFetcher", "NotFound", "Patience", "WrongSize", "redacted"]

Result = TypeVar("Result")

CHUNK = 2**16
REDIRECTS = 5
WORTHWHILE = 2**20
"""An attempt that brings a file this much further starts the count of attempts anew; sizes are finite, so is that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A document in memory; `body` is None when the server says that what we have is current (304)."""

    url: str
    body: bytes | None
    etag: str
    last_modified: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to wait for a mirror: seconds, bytes a second, and how often to try."""

    connect: float = 10.0
    read: float = 30.0
    window: float = 30.0
    rate: float = 1024.0
    attempts: int = 4
    back_off: float = 1.0
    retry_after: float = 60.0


class Fetcher(Protocol):
    """What the rest of the program knows of the network."""

    def fetch(self, url: str, *, limit: int, etag: str = "", last_modified: str = "") -> Fetched:
        """Return a whole document of at most `limit` bytes; raises NotFound or FetchError.

        `etag` and `last_modified` of an earlier answer make the request conditional.
        """

    def fetch_file(self, url: str, file: Path, *, size: int, report: Callable[[int], None]) -> None:
        """Bring `file` to exactly `size` bytes, going on from what is in it; raises NotFound, WrongSize or FetchError.

        `report` is told of each gain in bytes, and of a loss (negative) when what was there had to be thrown away.
        An error of the local disk is raised as OSError.
        """


class HttpFetcher:
    """Fetches over http, https and file URLs; one per thread, `close` it at the end.

    `ca` is a file of authorities trusted beside the system's. Proxies come from the environment as requests reads it.
    """

    def __init__(self, *, ca: Path | None = None, patience: Patience | None = None) -> None:
        self._patience = patience or Patience()
        self._adapter = WatchedAdapter(tls_context(ca or extra_authority()))
        self._session = Session()
        self._session.headers.update({"User-Agent": "oic", "Accept-Encoding": "identity"})
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, self._adapter)
        self._closed = threading.Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Drop every connection; from another thread: end what is under way with a FetchError."""
        self._closed.set()
        if (watch := self._adapter.watch) is not None:
            watch.abort()
        self._session.close()

    def fetch(self, url: str, *, limit: int, etag: str = "", last_modified: str = "") -> Fetched:
        """See `Fetcher`."""
        if _scheme(url) == "file":
            return _read_local(url, limit, etag)
        conditions = {"If-None-Match": etag, "If-Modified-Since": last_modified}
        headers = {name: value for name, value in conditions.items() if value}
        return self._retried(url, functools.partial(self._fetch_once, url, headers, limit))

    def fetch_file(self, url: str, file: Path, *, size: int, report: Callable[[int], None]) -> None:
        """See `Fetcher`."""
        transfer = Transfer(url=url, file=file, size=size, report=report)
        if _scheme(url) == "file":
            _copy_local(transfer)
        else:
            self._retried(url, functools.partial(self._continue, transfer))

    def _fetch_once(self, url: str, headers: dict[str, str], limit: int) -> Fetched:
        with self._exchange(url, headers) as (response, chunks):
            if response.status_code == requests.codes.not_modified and headers:
                body = None
            else:
                expect_whole(response, url)
                body = _gathered(chunks, url, limit, response.headers.get("Content-Length", ""))
            tags = response.headers.get("ETag", ""), response.headers.get("Last-Modified", "")
            return Fetched(url=url, body=body, etag=tags[0], last_modified=tags[1])

    def _continue(self, transfer: Transfer) -> None:
        """Bring the file one attempt further."""
        offset = transfer.offset()
        if offset == transfer.size:
            return
        headers = {"Range": f"bytes={offset}-"} if offset else {}
        if offset and transfer.validator:
            headers["If-Range"] = transfer.validator
        best = transfer.best
        try:
            with self._exchange(transfer.url, headers) as (response, chunks):
                transfer.accept(response, offset)
                transfer.write(chunks)
        except Passing as failure:
            failure.fresh = transfer.best >= best + WORTHWHILE
            raise

    def _retried(self, url: str, attempt: Callable[[], Result]) -> Result:
        failures = 0
        while True:
            try:
                return attempt()
            except Passing as failure:
                failures = 1 if failure.fresh else failures + 1
                if failures >= self._patience.attempts or failure.retry_after > self._patience.retry_after:
                    tries = f" after {failures} attempts" if failures > 1 else ""
                    raise FetchError(f"{failure}{tries}", where=redacted(url), hint=failure.hint) from failure
                self._pause(url, failures, failure.retry_after)

    def _pause(self, url: str, failures: int, retry_after: float) -> None:
        """Wait, longer each time; the jitter keeps many clients from coming back together."""
        delay = self._patience.back_off * 2 ** (failures - 1) * random.uniform(0.5, 1.5)  # noqa: S311 - not a secret
        if self._closed.wait(max(delay, retry_after)):
            raise FetchError("interrupted", where=redacted(url))

    @contextlib.contextmanager
    def _exchange(self, url: str, headers: dict[str, str]) -> Iterator[tuple[requests.Response, Iterator[bytes]]]:
        """Yield the answer that is no redirect, and its body in pieces; raises Passing or FetchError."""
        with Watch(window=self._patience.window, rate=self._patience.rate) as watch:
            self._adapter.watch = watch
            try:
                if self._closed.is_set():
                    raise FetchError("interrupted", where=redacted(url))
                with contextlib.closing(self._follow(url, headers)) as response:
                    refuse_failure(response, url)
                    yield response, _pieces(response, watch)
            except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
                if self._closed.is_set():
                    raise FetchError("interrupted", where=redacted(url)) from error
                raise self._failure(error, url, stalled=watch.stalled) from error
            finally:
                self._adapter.watch = None

    def _follow(self, url: str, headers: dict[str, str]) -> requests.Response:
        waits = (self._patience.connect, self._patience.read)
        for _ in range(REDIRECTS + 1):
            _scheme(url)
            response = self._session.get(url, headers=headers, stream=True, timeout=waits, allow_redirects=False)
            if not response.is_redirect:
                return response
            response.close()
            url = redirected(response, url)
        raise FetchError(f"expected a file, found more than {REDIRECTS} redirects", where=redacted(url))

    def _failure(self, error: Exception, url: str, *, stalled: bool) -> Exception:
        """Return what to raise for an error of the transport."""
        where = redacted(url)
        if stalled:
            rate = f"less than {self._patience.rate:g} bytes/s for {self._patience.window:g} s"
            return Passing(f"the mirror is too slow: {rate}", hint="try again later, or another mirror")
        message, hint, passing = explained(error)
        return Passing(message, hint=hint) if passing else FetchError(message, where=where, hint=hint)


def _pieces(response: requests.Response, watch: Watch) -> Iterator[bytes]:
    """Yield the body as it comes in, still encoded."""
    # read1, not read: read waits for the whole piece and would hide a trickle from the watch
    while chunk := response.raw.read1(CHUNK, decode_content=False):
        watch.advance(len(chunk))
        yield chunk
    if watch.stalled:  # a body without a declared length ends like this when the watch cut it
        raise urllib3.exceptions.ProtocolError


def _gathered(chunks: Iterator[bytes], url: str, limit: int, declared: str) -> bytes:
    """Return the whole body; raises FetchError as soon as it is, or is declared to be, beyond `limit`."""
    body = bytearray()
    too_long = (number_in(declared) or 0) > limit
    while not too_long and (chunk := next(chunks, b"")):
        body += chunk
        too_long = len(body) > limit
    if too_long:
        hint = "is this the right URL?"
        raise FetchError(f"expected at most {limit} bytes, found more", where=redacted(url), hint=hint)
    return bytes(body)


def _scheme(url: str) -> str:
    """Return the scheme; raises FetchError for what cannot be fetched."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme == "file" or (parts.scheme in ("http", "https") and parts.hostname and parts.port != 0)
    except ValueError:  # brackets or a port that make no sense
        raise FetchError("expected a URL, found a malformed one", where=url.rpartition("@")[2]) from None
    if not usable:
        raise FetchError("expected an http, https or file URL", where=redacted(url))
    return parts.scheme


def _read_local(url: str, limit: int, etag: str) -> Fetched:
    with _local(url) as file:
        status = os.fstat(file.fileno())
        current = f'"{status.st_mtime_ns}-{status.st_size}"'
        if current == etag:
            return Fetched(url=url, body=None, etag=etag, last_modified="")
        body = _gathered(iter(functools.partial(file.read, CHUNK), b""), url, limit, str(status.st_size))
        return Fetched(url=url, body=body, etag=current, last_modified="")


def _copy_local(transfer: Transfer) -> None:
    offset = transfer.offset()
    with _local(transfer.url) as file:
        transfer.accept_size(str(os.fstat(file.fileno()).st_size))
        file.seek(offset)
        try:
            transfer.write(iter(functools.partial(file.read, CHUNK), b""))
        except Passing as failure:  # it shrank while it was read
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
        if not stat.S_ISREG(path.stat().st_mode):  # opening a pipe would wait for its writer
            raise FetchError("expected a regular file", where=url)
        file = path.open("rb")
    except OSError as error:
        kind = NotFound if error.errno in (errno.ENOENT, errno.ENOTDIR) else FetchError
        raise kind(f"cannot read: {error.strerror}", where=url) from error
    with file:
        yield file
