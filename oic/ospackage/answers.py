"""Evaluates the answers of mirrors: whether to retry, whether it is the right file, and the error message.

Status codes and ranges are those of RFC 9110 (sections 14 and 15). No message contains secrets of a URL.
"""

from __future__ import annotations

import email.utils
import os
import re
import ssl
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

import requests
from urllib3 import exceptions as broken

from oic.errors import FetchError
from oic.ospackage.fetch import CHANGED, NotFound, WrongSize, redacted
from oic.values import parse_number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class TransientError(Exception):
    """A failure after which to retry; with `progressed`, the count of attempts starts again."""

    def __init__(self, message: str, *, hint: str | None = None, retry_after: float = 0.0) -> None:
        super().__init__(message)
        self.hint = hint
        self.retry_after = retry_after
        self.progressed = False


_CLOCK = "the system's CA certificates and clock must be right; name an authority of your own in OIC_CA"
_CLOCKS = "is this machine's clock right? else the mirror has to renew it"
_NAME = "is it the right host in the URL, and nothing between here and there that answers in its place?"
_CERTIFICATES = {9: _CLOCKS, 10: _CLOCKS, 62: _NAME, 64: _NAME}
"""Better hints by OpenSSL's verify codes (x509_vfy.h): not yet valid, expired, another host name, another address."""
_MESSAGES: tuple[tuple[type[Exception], str, str, bool], ...] = (
    # kind, message, hint, whether to retry; the first one that is among the causes is used
    (ssl.SSLCertVerificationError, "expected a trusted TLS certificate", _CLOCK, False),
    (ssl.SSLError, "TLS failed", "the server must speak TLS 1.2 or later", False),
    (broken.ProxyError, "the proxy cannot be used", "", True),
    (broken.NameResolutionError, "the host name cannot be resolved", "is the URL right, and the network up?", True),
    (broken.NewConnectionError, "cannot connect", "is the mirror up, and the network?", True),
    (broken.ConnectTimeoutError, "timed out connecting", "is the mirror up, and the network?", True),
    (broken.ReadTimeoutError, "timed out waiting for data", "is the mirror up, and the network?", True),
    (broken.IncompleteRead, "expected the whole body, found it cut off", "try again later, or another mirror", True),
    (broken.ProtocolError, "expected an HTTP answer, found a broken one", "is this a web server?", True),
)


def explained(error: Exception) -> tuple[str, str | None, bool]:
    """Return the message, the hint and whether to retry, for an error of requests or urllib3."""
    causes = tuple(_causes(error))
    for kind, message, hint, transient in _MESSAGES:
        if any(isinstance(cause, kind) for cause in causes):
            codes = (getattr(cause, "verify_code", None) for cause in causes)
            hints = (_CERTIFICATES[code] for code in codes if code in _CERTIFICATES)
            return f"{message}{_detail(causes)}", next(hints, hint or _proxy_hint()), transient
    # other errors concern unusable URLs and settings; their text may contain the URL with its secrets
    return f"expected a usable URL and settings, found {type(error).__name__}", None, False


def _proxy_hint() -> str:
    """Return what to look at: the settings file, which `oic.tasks.settings` names where the proxy is from there."""
    file = os.environ.get("OIC_PROXY_FILE")
    return f"is the proxy in {file} right?" if file else "are http_proxy and https_proxy right?"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and its causes, which requests and urllib3 also keep in arguments and `reason`."""
    yield error
    inner = [*error.args, getattr(error, "reason", None), error.__cause__]
    for cause in inner:
        if isinstance(cause, BaseException):
            yield from _causes(cause)


def _detail(causes: tuple[BaseException, ...]) -> str:
    """Return the message of the operating system or of TLS, which contains no URL."""
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f", found: {cause.verify_message}"
        if isinstance(cause, ssl.SSLError) and cause.reason:
            return f": {cause.reason.lower().replace('_', ' ')}"
        if isinstance(cause, broken.IncompleteRead):
            return f": received {cause.partial} bytes, expected {cause.expected} more"
    system = (cause for cause in causes if isinstance(cause, OSError) and cause.errno and cause.strerror)
    return next((f": {cause.strerror}" for cause in system), "")


def refuse_failure(response: requests.Response, url: str) -> None:
    """Raise NotFound, TransientError or FetchError for the status of a failure."""
    status = response.status_code
    found = f"expected a file, found HTTP {status}"
    if status in (requests.codes.not_found, requests.codes.gone):
        hint = "is the URL right?"
        raise NotFound(found, where=redacted(url), hint=hint)
    if status in (requests.codes.unauthorized, requests.codes.forbidden, requests.codes.proxy_authentication_required):
        raise FetchError(found, where=redacted(url), hint="does it need a user and a password?")
    if status in (requests.codes.request_timeout, requests.codes.too_many_requests) or status >= 500:
        after = _retry_after(response.headers.get("Retry-After", ""))
        asked = f", which asks to retry after {after:.0f} s" if after else ""
        raise TransientError(f"{found}{asked}", hint="the mirror has a problem: try again later", retry_after=after)


def _retry_after(text: str) -> float:
    """Return the seconds of a Retry-After header, a number or a date; 0 for anything else."""
    if (seconds := parse_number(text.strip())) is not None:
        return float(seconds)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, OverflowError):
        return 0.0


def redirected(response: requests.Response, url: str) -> str:
    """Return the target of a redirect; raises FetchError when it must not, or cannot, be followed."""
    try:
        to = urljoin(url, response.headers["Location"].encode("latin-1").decode("utf-8"))
        scheme = urlsplit(to).scheme
    except ValueError:  # not UTF-8, stray brackets, or an invalid host name
        raise FetchError("expected a redirect to a URL, found a malformed one", where=redacted(url)) from None
    if scheme not in ("http", "https") or (scheme == "http" and urlsplit(url).scheme == "https"):
        hint = "use that URL in the recipe if it is the right one"
        raise FetchError(f"refused a redirect to {redacted(to)}", where=redacted(url), hint=hint)
    return to


def expect_ok(response: requests.Response, url: str) -> None:
    """Raise FetchError unless the status is 200, a complete document."""
    if response.status_code != requests.codes.ok:
        raise FetchError(f"expected HTTP 200, found {response.status_code}", where=redacted(url))


@dataclass(slots=True, kw_only=True)
class Transfer:
    """A download in progress: its file, and the ETag or date of the version that the file is a part of.

    A `size` of None is that which the server gives, at most `limit`; such a download begins with an empty file.
    """

    url: str
    file: Path
    size: int | None
    report: Callable[[int], None]
    limit: int = 0
    validator: str = ""
    best: int = field(default=0, init=False)

    def offset(self) -> int:
        """Return the size of the file; a file that is too long is discarded."""
        found = self.file.stat().st_size if self.file.exists() else 0
        if found and (self.size is None or found > self.size):
            self.restart()
            return 0
        self.best = max(self.best, found)
        return found

    def restart(self) -> None:
        """Discard the content of the file."""
        self.report(-self.file.stat().st_size)
        self.file.write_bytes(b"")

    def accept(self, response: requests.Response, offset: int) -> None:
        """Prepare the file for the body of this answer; raises WrongSize, TransientError or FetchError."""
        status = response.status_code
        if offset and status == requests.codes.requested_range_not_satisfiable:
            self.restart()  # the server's file is shorter than ours, so it is another one
            raise TransientError("the mirror's file changed during the download", hint=CHANGED)
        if offset and status == requests.codes.partial_content:
            self._accept_range(response, offset)
        else:
            expect_ok(response, self.url)
            self.accept_size(response.headers.get("Content-Length", ""))
            if offset:
                self.restart()
        tag = response.headers.get("ETag", "")  # a weak ETag does not guarantee equal bytes: RFC 9110, 13.1.5
        self.validator = tag if tag.startswith('"') else response.headers.get("Last-Modified", "")

    def write(self, chunks: Iterator[bytes]) -> None:
        """Append the body; raises WrongSize when it is too long, TransientError when it is too short."""
        with self.file.open("ab") as file:
            place = file.tell()
            for chunk in chunks:
                if place + len(chunk) > (most := self.limit if self.size is None else self.size):
                    raise self._wrong_size(f"more than {most}")
                file.write(chunk)
                file.flush()  # a killed run loses nothing that it reported
                place += len(chunk)
                self.best = max(self.best, place)
                self.report(len(chunk))
        if place < (self.size or 0):
            raise TransientError(
                f"expected {self.size} bytes, found {place}", hint="try again later, or another mirror"
            )

    def _accept_range(self, response: requests.Response, offset: int) -> None:
        found = response.headers.get("Content-Range", "")
        match = re.fullmatch(r"bytes ([0-9]+)-[0-9]+/([0-9]+|\*)", found)
        if match is None or parse_number(match[1]) != offset:
            self.restart()  # so that the next attempt requests the whole file
            raise TransientError(f"expected the bytes from {offset} on, found Content-Range {found[:60]!r}")
        if match[2] != "*":
            self.accept_size(match[2])

    def accept_size(self, text: str) -> None:
        """Raise WrongSize when `text` is a number other than the expected size."""
        number = parse_number(text)
        if self.size is None and number is not None:
            if number > self.limit:
                raise self._wrong_size(text[:20])
            self.size = number
        elif number not in (None, self.size):
            raise self._wrong_size(text[:20])

    def _wrong_size(self, found: str) -> FetchError:
        where = redacted(self.url)
        if self.limit:
            return FetchError(f"expected at most {self.limit} bytes, found {found}", where=where)
        return WrongSize(f"expected {self.size} bytes, found {found}", where=where, hint=CHANGED)
