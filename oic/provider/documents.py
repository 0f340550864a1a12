"""Fetch documents of a repository, with conditional requests.

The caller keeps what a server needs to answer "not modified", by URL. That answer is accepted only for bytes that were
verified before, and they are verified again.

No repository serves web pages. One in place of a document is a login page, or a "not found" with status 200.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from msgspec.structs import replace

from oic.errors import FetchError, OicError, TrustError
from oic.ospackage.fetch import NotFound, redacted
from oic.ospackage.locked import LockedDocument
from oic.values import Bytes, Digest, Value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from oic.ospackage.fetch import Fetcher
    from oic.ospackage.store import Store

_MAX_DOCUMENT = 16 * 2**20
_WEB_PAGE = re.compile(rb"\s*(<\?xml[^>]*>\s*)?<(!doctype\s+html|html)\b", re.IGNORECASE)


class Answer(Value):
    """What a server needs to know whether a document changed; `sha256` is set once the document is verified."""

    etag: str = ""
    last_modified: str = ""
    sha256: Digest | None = None


class Documents(Value):
    """Fetches documents, or takes them from the store when the server says that they have not changed."""

    fetcher: Fetcher
    store: Store
    memo: Mapping[str, Answer]
    new_memo: dict[str, Answer]

    def document(self, url: str) -> bytes:
        """Return a document. The caller verifies it and then calls `remember`, which stores it."""
        known = self.memo.get(url, Answer())
        if known.sha256 is None or not self.store.has(known.sha256):
            known = Answer()
        fetched = self.fetcher.fetch(url, limit=_MAX_DOCUMENT, etag=known.etag, last_modified=known.last_modified)
        if fetched.body is None and known.sha256:
            self.new_memo[url] = known
            return self.store.read(known.sha256)
        body = fetched.body or b""
        refuse_web_page(url, body)
        self.new_memo[url] = Answer(etag=fetched.etag, last_modified=fetched.last_modified)
        return body

    def document_if_there(self, url: str) -> bytes | None:
        """Return a document as `document` does, or None where the server has none."""
        try:
            return self.document(url)
        except NotFound:
            return None

    def stored(self, digest: Digest | None) -> bytes | None:
        """Return a file of the store; None when it is not there or is damaged (the store then removes it)."""
        if digest is None or not self.store.has(digest):
            return None
        try:
            return self.store.read(digest)
        except OicError:
            return None

    def remember(self, url: str, body: bytes) -> LockedDocument:
        """Store a verified document; return its entry for the index and the lock."""
        digest = self.store.add(body)
        self.new_memo[url] = replace(self.new_memo[url], sha256=digest)
        return LockedDocument(name=url.rpartition("/")[2], url=url, sha256=digest, size=Bytes(len(body)))


def check_digest(body: bytes, algorithm: str, digest: str, size: int, *, where: str) -> None:
    """Raise TrustError when a file has another size or digest than its signed index says."""
    found = hashlib.new(algorithm, body).hexdigest()
    if (len(body), found) != (size, digest):
        expected = f"expected {algorithm} {digest} of {size} bytes"
        hint = "the mirror may be in the middle of an update: try again later"
        raise TrustError(f"{expected}, found {found} of {len(body)} bytes", where=where, hint=hint)


def refuse_web_page(url: str, body: bytes) -> None:
    """Raise FetchError when a file of a repository is a web page."""
    if _WEB_PAGE.match(body):
        hint = "is the URL right? does the network require a login?"
        raise FetchError("expected a file of a repository, found a web page", where=redacted(url), hint=hint)
