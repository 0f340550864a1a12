"""The interface for downloads; `oic.ospackage.http` implements it.

* Downloaded bytes are untrusted; the caller verifies them. Only sizes are checked here: no answer exceeds its limit.
* Every failure is a `FetchError`, with what was expected, what was found, the URL and a hint.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from oic.errors import FetchError
from oic.values import Value

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from oic.ospackage.http import HttpFetcher

CHANGED = "the mirror serves another file than its index says: try doit update"


class NotFound(FetchError):  # noqa: N818 - named after the HTTP status
    """The mirror has no such file (404, 410)."""


class WrongSize(FetchError):  # noqa: N818 - named like NotFound
    """The mirror serves a file of another size than asked for."""


def redacted(url: str) -> str:
    """Return a URL without secrets: user, password and query (which holds them in signed URLs) are replaced."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    netloc = f"***@{host}" if "@" in parts.netloc else host
    return parts._replace(netloc=netloc, query="***" if parts.query else "", fragment="").geturl()


class Fetched(Value):
    """A document in memory; `body` is None when the server reports that it has not changed (304)."""

    url: str
    body: bytes | None
    etag: str
    last_modified: str


class Fetcher(Protocol):
    """Downloads documents and files."""

    def fetch(self, url: str, *, limit: int, etag: str = "", last_modified: str = "") -> Fetched:
        """Download a document of at most `limit` bytes; raises NotFound or FetchError.

        `etag` and `last_modified` of an earlier answer make the request conditional.
        """

    def fetch_file(self, url: str, file: Path, *, size: int, report: Callable[[int], None]) -> None:
        """Download `file`, which has `size` bytes, resuming from its present content.

        `report` is called with the number of bytes received, and with a negative number when content is discarded.
        Raises NotFound, WrongSize or FetchError, and OSError for errors of the local disk.
        """


def open_fetcher(*, insecure: bool = False) -> HttpFetcher:
    """Return a fetcher for http, https and file URLs. Its libraries are imported here, which takes 0.1 s.

    `insecure`: servers are not verified, as the caller knows the digest of each file.
    """
    from oic.ospackage.http import HttpFetcher  # noqa: PLC0415 - see above

    return HttpFetcher(insecure=insecure)
