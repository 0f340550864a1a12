"""Downloads over http, https and file URLs.

* A Content-Encoding is never decoded, because mirrors use it wrongly.
* Transient failures are retried with back-off: broken connections, stalls, 5xx, 429, truncated bodies. Others are
  raised at once: a missing file, an untrusted certificate, a wrong size, a refused redirect.
* A redirect from https to http, or to a file, is refused. Messages contain no secrets of a URL.
"""

from __future__ import annotations

import contextlib
import functools
import random
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self, TypeVar
from urllib.parse import urlsplit

import requests
import urllib3

from oic.errors import FetchError
from oic.ospackage.answers import Transfer, TransientError, expect_ok, explained, redirected, refuse_failure
from oic.ospackage.fetch import Fetched, redacted
from oic.ospackage.local import CHUNK, copy_local, read_body, read_local
from oic.ospackage.transport import Session, Watch, WatchedAdapter, extra_authority, tls_context, unverified_context
from oic.progress import tell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

Result = TypeVar("Result")

MAX_REDIRECTS = 5
MIN_PROGRESS = 2**20
"""An attempt that receives this many bytes starts the count of attempts again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How long to wait for a mirror, in seconds; its minimum rate, in bytes a second; and how often to try."""

    connect: float = 10.0
    read: float = 30.0
    window: float = 30.0
    rate: float = 1024.0
    attempts: int = 4
    back_off: float = 1.0
    retry_after: float = 60.0


class HttpFetcher:
    """Downloads over http, https and file URLs. Each thread needs its own; `close` it at the end.

    `ca` is a file of certificate authorities to trust besides the system's. Proxies come from the environment.
    `insecure`: servers are not verified, as the caller knows the digest of each file.
    """

    def __init__(self, *, ca: Path | None = None, policy: RetryPolicy | None = None, insecure: bool = False) -> None:
        self._policy = policy or RetryPolicy()
        self._adapter = WatchedAdapter(unverified_context() if insecure else tls_context(ca or extra_authority()))
        self._session = Session()
        self._insecure = insecure
        self._session.headers.update({"User-Agent": "oic", "Accept-Encoding": "identity"})
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, self._adapter)
        self._closed = threading.Event()
        self._told: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections; if another thread is downloading, it gets a FetchError."""
        self._closed.set()
        if (watch := self._adapter.watch) is not None:
            watch.abort()
        self._session.close()

    def fetch(self, url: str, *, limit: int, etag: str = "", last_modified: str = "") -> Fetched:
        """See `Fetcher`."""
        if _scheme(url) == "file":
            return read_local(url, limit, etag)
        conditions = {"If-None-Match": etag, "If-Modified-Since": last_modified}
        headers = {name: value for name, value in conditions.items() if value}
        return self._retried(url, functools.partial(self._fetch_once, url, headers, limit))

    def fetch_file(self, url: str, file: Path, *, size: int, report: Callable[[int], None]) -> None:
        """See `Fetcher`."""
        self._transfer(Transfer(url=url, file=file, size=size, report=report))

    def fetch_whole(self, url: str, file: Path, *, limit: int, report: Callable[[int], None]) -> None:
        """Download `file` anew, of whatever size up to `limit` bytes the server has it; raises as `fetch_file` does."""
        self._transfer(Transfer(url=url, file=file, size=None, limit=limit, report=report))

    def _transfer(self, transfer: Transfer) -> None:
        if _scheme(transfer.url) == "file":
            copy_local(transfer)
        else:
            self._retried(transfer.url, functools.partial(self._continue, transfer))

    def _fetch_once(self, url: str, headers: dict[str, str], limit: int) -> Fetched:
        with self._exchange(url, headers) as (response, chunks):
            if response.status_code == requests.codes.not_modified and headers:
                body = None
            else:
                expect_ok(response, url)
                body = read_body(chunks, url, limit, response.headers.get("Content-Length", ""))
            tags = response.headers.get("ETag", ""), response.headers.get("Last-Modified", "")
            return Fetched(url=url, body=body, etag=tags[0], last_modified=tags[1])

    def _continue(self, transfer: Transfer) -> None:
        """Make one attempt to complete the file."""
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
        except TransientError as failure:
            failure.progressed = transfer.best >= best + MIN_PROGRESS
            raise

    def _retried(self, url: str, attempt: Callable[[], Result]) -> Result:
        failures = 0
        while True:
            try:
                return attempt()
            except TransientError as failure:
                failures = 1 if failure.progressed else failures + 1
                if failures >= self._policy.attempts or failure.retry_after > self._policy.retry_after:
                    tries = f" after {failures} attempts" if failures > 1 else ""
                    raise FetchError(f"{failure}{tries}", where=redacted(url), hint=failure.hint) from failure
                self._tell_once(url, failure)
                self._pause(url, failures, failure.retry_after)

    def _tell_once(self, url: str, failure: TransientError) -> None:
        """Say that a mirror is tried again: waiting for it may take minutes."""
        said = f"  {urlsplit(url).hostname}: {failure}; trying again"
        if said not in self._told:
            self._told.add(said)
            tell(said)

    def _pause(self, url: str, failures: int, retry_after: float) -> None:
        """Wait, longer each time; the jitter keeps many clients from retrying at the same time."""
        delay = self._policy.back_off * 2 ** (failures - 1) * random.uniform(0.5, 1.5)  # noqa: S311 - not a secret
        if self._closed.wait(max(delay, retry_after)):
            raise FetchError("interrupted", where=redacted(url))

    @contextlib.contextmanager
    def _exchange(self, url: str, headers: dict[str, str]) -> Iterator[tuple[requests.Response, Iterator[bytes]]]:
        """Yield the answer after redirects, and its body in chunks; raises TransientError or FetchError."""
        with Watch(window=self._policy.window, rate=self._policy.rate) as watch:
            self._adapter.watch = watch
            try:
                if self._closed.is_set():
                    raise FetchError("interrupted", where=redacted(url))
                with contextlib.closing(self._follow(url, headers)) as response:
                    refuse_failure(response, url)
                    yield response, _chunks(response, watch)
            except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
                if self._closed.is_set():
                    raise FetchError("interrupted", where=redacted(url)) from error
                raise self._failure(error, url, stalled=watch.stalled) from error
            finally:
                self._adapter.watch = None

    def _follow(self, url: str, headers: dict[str, str]) -> requests.Response:
        timeouts = (self._policy.connect, self._policy.read)
        for _ in range(MAX_REDIRECTS + 1):
            _scheme(url)
            # False, not the session's own: requests would look for authorities in the environment
            verify = False if self._insecure else None
            response = self._session.get(
                url, headers=headers, stream=True, timeout=timeouts, allow_redirects=False, verify=verify
            )
            if not response.is_redirect:
                return response
            response.close()
            url = redirected(response, url)
        raise FetchError(f"expected a file, found more than {MAX_REDIRECTS} redirects", where=redacted(url))

    def _failure(self, error: Exception, url: str, *, stalled: bool) -> Exception:
        """Return the exception to raise for an error of the transport."""
        where = redacted(url)
        if stalled:
            rate = f"less than {self._policy.rate:g} bytes/s for {self._policy.window:g} s"
            return TransientError(f"the mirror is too slow: {rate}", hint="try again later, or another mirror")
        message, hint, transient = explained(error)
        return TransientError(message, hint=hint) if transient else FetchError(message, where=where, hint=hint)


def _chunks(response: requests.Response, watch: Watch) -> Iterator[bytes]:
    """Yield the body as it arrives, still encoded."""
    # read1, not read: read waits for a full chunk and would hide a slow stream from the watch
    while chunk := response.raw.read1(CHUNK, decode_content=False):
        watch.advance(len(chunk))
        yield chunk
    if watch.stalled:  # a body without a declared length just ends when the watch closes the socket
        raise urllib3.exceptions.ProtocolError


def _scheme(url: str) -> str:
    """Return the scheme; raises FetchError for an unsupported URL."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme == "file" or (parts.scheme in ("http", "https") and parts.hostname and parts.port != 0)
    except ValueError:  # stray brackets or an invalid port
        raise FetchError("expected a URL, found a malformed one", where=url.rpartition("@")[2]) from None
    if not usable:
        raise FetchError("expected an http, https or file URL", where=redacted(url))
    return parts.scheme
