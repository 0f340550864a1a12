"""Documents of a repository as they come in: conditional requests, what the store has from last time, key files.

What a server needs to answer "not modified" is the caller's to keep: a memo by URL. A "not modified" is believed about
bytes only that were verified, and they are verified again.

No repository serves web pages: one that comes in place of a document is a login page, or a "not found" in disguise.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oic.errors import FetchError, TrustError
from oic.net import NotFound, redacted
from oic.progress import note
from oic.values import Digest

if TYPE_CHECKING:
    from oic.config.model import Repository
    from oic.net import Fetcher
    from oic.store import Store

_MOST_DOCUMENT = 16 * 2**20
_MOST_KEY = 2**20
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
        _refuse_web_page(url, fetched.body)
        self.new_memo[url] = {"etag": fetched.etag, "last_modified": fetched.last_modified}
        return fetched.body

    def remember(self, url: str, body: bytes) -> Digest:
        """Store a verified document."""
        digest = self.store.add(body)
        self.new_memo[url]["sha256"] = digest
        return digest


def key_files(repository: Repository, fetcher: Fetcher) -> dict[str, bytes]:
    """Return the key files by URL; of several those that exist count: a keyring's place differs between hosts.

    A URL that leads nowhere is told aloud: a signature by its key will be by an unknown one.
    """
    keys = {}
    missing = []
    for key in repository.keys:
        if "://" in key:
            try:
                keys[key] = fetcher.fetch(key, limit=_MOST_KEY).body or b""
            except NotFound as error:
                missing.append(error)
            else:
                _refuse_web_page(key, keys[key])
        elif Path(key).is_file():
            try:
                keys[Path(key).as_uri()] = Path(key).read_bytes()
            except OSError as error:
                raise TrustError(f"cannot read the key file: {error.strerror}", where=key) from error
    if not keys:
        raise missing[0] if len(repository.keys) == len(missing) == 1 else _no_key(repository)
    for absent in missing:
        note(f"this key of {repository.name} is passed over: {absent}")
    return keys


def _no_key(repository: Repository) -> TrustError:
    looked = ", ".join(repository.keys) or "nothing: the repository names no key"
    remote = any("://" in key for key in repository.keys)
    hint = "are the URLs right?" if remote else "install the distribution's keyring package"
    return TrustError(f"expected a key file, found none of {looked}", where=repository.name, hint=hint)


def _refuse_web_page(url: str, body: bytes) -> None:
    if _WEB_PAGE.match(body):
        hint = "is the URL right? does the network here want a login first?"
        raise FetchError("expected a file of a repository, found a web page", where=redacted(url), hint=hint)
