"""What a lock keeps of the index that it was solved from: keys and signed documents, by digest, with their URLs.

And what index and lock remember of who signs a repository: ``{name: {"signers": …, "keys": {url: fingerprints}}}``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from oic.ospackage.lock import LockedDocument, LockedKey

if TYPE_CHECKING:
    from collections.abc import Mapping

    from oic.ospackage.lock import Lock

Known = dict[str, dict[str, Any]]


def locked_keys(entry: Mapping[str, Any]) -> tuple[LockedKey, ...]:
    """Return the keys of a repository of the index; the builder's own files are each host's to have."""
    return tuple(
        LockedKey(url=key["url"], sha256=key["sha256"], size=key["size"], fingerprints=tuple(key["fingerprints"]))
        for key in entry["keys"]
        if not key["url"].startswith("file:")
    )


def locked_indexes(index: Mapping[str, Any]) -> dict[str, tuple[LockedDocument, ...]]:
    """Return the signed documents of each repository by its name."""
    return {
        entry["name"]: tuple(LockedDocument(**document) for document in entry["documents"])
        for entry in index["repositories"]
    }


def known_of_index(index: Mapping[str, Any]) -> Known:
    """Return what an index remembers; one of an older version knows the signers alone."""
    return {
        entry["name"]: {
            "signers": entry["signers"],
            "keys": {key["url"]: key["fingerprints"] for key in entry.get("keys", ()) if "fingerprints" in key},
        }
        for entry in index.get("repositories", ())
    }


def known_of_lock(lock: Lock) -> Known:
    """Return what a lock remembers; an older one knows the signers alone."""
    return {
        entry.name: {
            "signers": entry.signers,
            "keys": {key.url: key.fingerprints for key in entry.keys if key.fingerprints},
        }
        for entry in lock.repositories
    }
