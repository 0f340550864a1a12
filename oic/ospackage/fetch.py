"""The second seam: bytes from mirrors, as the rest of the program knows it. `oic.ospackage.http` is the implementation.

* Nothing fetched is trusted: who asks verifies. Here only sizes are held to: no answer is longer than asked for.
* Every failure is one `FetchError`: what was expected, what was found, the URL, what to do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from oic.errors import FetchError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from oic.ospackage.http import HttpFetcher

CHANGED = "the mirror serves another file than its index says: try doit update"


class NotFound(FetchError):  # noqa: N818 - the name of the HTTP status it stands for
    """The mirror has no such file (404, 410)."""


class WrongSize(FetchError):  # noqa: N818 - in line with its sibling
    """The mirror serves a file of another size than asked for."""


def redacted(url: str) -> str:
    """Return a URL that may be shown: user, password and query (where signed URLs keep theirs) replaced."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    netloc = f"***@{host}" if "@" in parts.netloc else host
    return parts._replace(netloc=netloc, query="***" if parts.query else "", fragment="").geturl()


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A document in memory; `body` is None when the server says that what we have is current (304)."""

    url: str
    body: bytes | None
    etag: str
    last_modified: str


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


def open_fetcher() -> HttpFetcher:
    """Return a fetcher over http, https and file URLs. Only now are its libraries imported, which takes 0.1 s."""
    from oic.ospackage.http import HttpFetcher  # noqa: PLC0415 - see above

    return HttpFetcher()
