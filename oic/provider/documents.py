"""Documents of a repository as they come in: conditional requests, what the store has from last time, key files.

What a server needs to answer "not modified" is the caller's to keep: a memo by URL. A "not modified" is believed about
bytes only that were verified, and they are verified again.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oic.errors import TrustError
from oic.values import Digest

if TYPE_CHECKING:
    from oic.config.model import Repository
    from oic.net import Fetcher
    from oic.store import Store

_MOST_DOCUMENT = 16 * 2**20
_MOST_KEY = 2**20


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
        self.new_memo[url] = {"etag": fetched.etag, "last_modified": fetched.last_modified}
        return fetched.body

    def remember(self, url: str, body: bytes) -> Digest:
        """Store a verified document."""
        digest = self.store.add(body)
        self.new_memo[url]["sha256"] = digest
        return digest


def key_files(repository: Repository, fetcher: Fetcher) -> dict[str, bytes]:
    """Return the key files by URL; of several paths those that exist count: a keyring's place differs between hosts."""
    keys = {}
    for key in repository.keys:
        if "://" in key:
            keys[key] = fetcher.fetch(key, limit=_MOST_KEY).body or b""
        elif Path(key).is_file():
            try:
                keys[Path(key).as_uri()] = Path(key).read_bytes()
            except OSError as error:
                raise TrustError(f"cannot read the key file: {error.strerror}", where=key) from error
    if not keys:
        looked = ", ".join(repository.keys) or "nothing: the repository names no key"
        raise TrustError(
            f"expected a key file, found none of {looked}",
            where=repository.name,
            hint="install the distribution's keyring package",
        )
    return keys
