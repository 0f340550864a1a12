"""Documents of a repository as they come in: conditional requests, what the store has from last time.

What a server needs to answer "not modified" is the caller's to keep: a memo by URL. A "not modified" is believed about
bytes only that were verified, and they are verified again.

No repository serves web pages: one that comes in place of a document is a login page, or a "not found" in disguise.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from oic.errors import FetchError
from oic.ospackage.fetch import redacted
from oic.values import Digest

if TYPE_CHECKING:
    from oic.ospackage.fetch import Fetcher
    from oic.ospackage.store import Store

_MOST_DOCUMENT = 16 * 2**20
_WEB_PAGE = re.compile(rb"\s*(<\?xml[^>]*>\s*)?<(!doctype\s+html|html)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Documents:
    """Where documents come from: the network, or, when a server says so, what the store has from last time."""

    fetcher: Fetcher
    store: Store
    memo: dict[str, Any]
    new_memo: dict[str, Any]

    def document(self, url: str) -> bytes:
        """Return a document; it is put in the store only by `remember`, once verified."""
        known = self.memo.get(url, {})
        digest = Digest(known.get("sha256", ""))
        if not digest or not self.store.has(digest):
            known = {}
        fetched = self.fetcher.fetch(
            url, limit=_MOST_DOCUMENT, etag=known.get("etag", ""), last_modified=known.get("last_modified", "")
        )
        if fetched.body is None:
            self.new_memo[url] = known
            return self.store.read(digest)
        refuse_web_page(url, fetched.body)
        self.new_memo[url] = {"etag": fetched.etag, "last_modified": fetched.last_modified}
        return fetched.body

    def remember(self, url: str, body: bytes) -> Digest:
        """Store a verified document."""
        digest = self.store.add(body)
        self.new_memo[url]["sha256"] = digest
        return digest


def document_of(url: str, body: bytes) -> dict[str, Any]:
    """Return what an index says of a document of a repository: a lock will have it so."""
    digest = hashlib.sha256(body).hexdigest()
    return {"name": url.rpartition("/")[2], "url": url, "sha256": digest, "size": len(body)}


def refuse_web_page(url: str, body: bytes) -> None:
    """Raise FetchError when a file of a repository is a web page."""
    if _WEB_PAGE.match(body):
        hint = "is the URL right? does the network here want a login first?"
        raise FetchError("expected a file of a repository, found a web page", where=redacted(url), hint=hint)
