"""Fetch and verify an rpm repository's metadata: repomd.xml, then the primary and filelists it vouches for.

    mirror list ─> base URL
    keys ─> private keyring
    repomd.xml + repomd.xml.asc ─gpg─> document (where it is signed) ─> not older than last time
        └─ primary ─ size, checksum, checksum of what is in it ─> packages that are no trick ─> store
              └─ a path in some package's dependencies that no primary lists ─> filelists, as primary

* What is returned holds digests of verified bytes in the store, nothing else of the mirror's; ``http`` is kept apart,
  as `oic.provider.documents` says.
* The keys' own bytes go into the store as well: each package is signed by one of them.
* rpm metadata tells of no day it is valid until: it is held to be no older than last time's, and its age is told.
"""

from __future__ import annotations

import functools
import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from oic.errors import OicError, TrustError
from oic.ospackage.fetch import NotFound
from oic.progress import note
from oic.provider.age import age_warning
from oic.provider.compression import decompressed
from oic.provider.documents import Documents, document_of
from oic.provider.keys import entries_of, keyring_of, known_keys, read_keys
from oic.provider.openpgp import detached_signers
from oic.provider.rpm.markup import refuse_markup
from oic.provider.rpm.mirrors import bases_of, from_first
from oic.provider.rpm.pool import Packages
from oic.provider.rpm.repomd import FILELISTS, PRIMARY, ROOTS, check_age, parse_repomd
from oic.provider.rpm.solve import source_of
from oic.values import Digest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from oic.config.repository import Repository
    from oic.ospackage.fetch import Fetcher
    from oic.ospackage.store import Store
    from oic.provider.openpgp import Keyring
    from oic.provider.rpm.repomd import Checksum, MetadataFile, Repomd

_REPOMD = "repodata/repomd.xml"
_FIRST = 10**9
"""A day of 2001, before there was such metadata: smaller numbers count something else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """A repository as it was read: its entry in the index, and the files that may be wanted of it yet."""

    entry: dict[str, Any]
    repomd: Repomd


def read_metadata(  # noqa: PLR0913 - the provider protocol's five, and the clock
    repositories: Sequence[Repository],
    architecture: str,
    fetcher: Fetcher,
    store: Store,
    previous: dict[str, Any],
    *,
    now: datetime | None = None,
) -> dict[str, Any]:
    """Return the index hand-over and, to be kept beside it, ``http``; raises FetchError or TrustError."""
    source = Documents(fetcher=fetcher, store=store, memo=previous.get("http", {}), new_memo={})
    before = {entry.get("origin"): entry for entry in previous.get("repositories", [])}
    known = previous.get("known", {})
    found = []
    for repository in repositories:
        last = {**before.get(_origin(repository), {}), "known": known.get(repository.name, {})}
        read = functools.partial(_read_repository, repository, source, last, now or datetime.now(UTC))
        found.append(from_first(bases_of(repository, architecture, fetcher), read))
    entries = [one.entry for one in found]
    packages = Packages([source_of(entry, store) for entry in entries], architecture)
    for line in packages.bad_entries():
        note(line)
    if packages.unlisted_files():
        _add_filelists(found, source, before)
    return {"architecture": architecture, "repositories": entries, "http": source.new_memo}


def metadata_warnings(index: dict[str, Any], now: datetime) -> list[str]:
    """Return a warning for each repository whose metadata is old: it does not say until when it is valid."""
    found = [
        age_warning(entry["name"], datetime.fromtimestamp(_made(entry), UTC), now)
        for entry in index["repositories"]
        if _made(entry)
    ]
    return [warning for warning in found if warning]


def _made(entry: dict[str, Any]) -> int:
    """Return when an index was made, in seconds: by its newest file, or by its revision; 0 where neither is a time."""
    revision = entry["revision"]
    made = int(entry["timestamp"] or (revision if re.fullmatch("[0-9]{9,11}", revision) else 0))
    return made if made > _FIRST else 0


def _origin(repository: Repository) -> str:
    """Return what stays the same whichever mirror answers."""
    return repository.mirror_list or repository.url


def _read_repository(
    repository: Repository, source: Documents, last: dict[str, Any], now: datetime, base: str
) -> _Found:
    where = f"{base}/{_REPOMD}"
    files = () if repository.trusted else read_keys(repository, source.fetcher)
    documents = _documents(repository, where, source)
    signers: tuple[str, ...] = ()
    known: dict[str, tuple[str, ...]] = {}
    if files:
        with keyring_of(files) as ring:
            signers = judged(ring, documents, where) if repository.signed_metadata else ()
        known = known_keys(repository.name, files, ring, signers, last["known"])
    repomd = parse_repomd(documents[where], where=where)
    check_age(repomd, last.get("revision", ""), last.get("timestamp", 0), now, where=where)
    primary = _listed(repomd, PRIMARY, base, source, last)
    listed = {"name": PRIMARY, "url": primary.pop("url"), "sha256": primary["sha256"], "size": primary.pop("size")}
    signed = [document_of(url, body) for url, body in documents.items()]
    entry = {
        "name": repository.name,
        "origin": _origin(repository),
        "url": base,
        "suite": "",
        "components": [],
        "priority": repository.priority,
        "allow_packages": list(repository.allow_packages),
        "signers": list(signers),
        "trusted": repository.trusted,
        "keys": entries_of(files, known, source.store),
        "documents": [] if repository.trusted else [*signed, listed],
        "repomd": {url.rpartition("/")[2]: source.remember(url, body) for url, body in documents.items()},
        "revision": repomd.revision,
        "timestamp": repomd.timestamp,
        "primary": primary,
        "filelists": None,
    }
    return _Found(entry=entry, repomd=repomd)


def _documents(repository: Repository, where: str, source: Documents) -> dict[str, bytes]:
    """Return repomd.xml and, unless it is not signed by the data's or the recipe's word, its signature, by URL."""
    try:
        documents = {where: source.document(where)}
    except NotFound as error:
        hint = "the URL is to be that of the directory that holds repodata/"
        raise NotFound("expected a repository, found no repomd.xml", where=error.where, hint=hint) from error
    if repository.signed_metadata and not repository.trusted:
        signature = f"{where}.asc"
        try:
            documents[signature] = source.document(signature)
        except NotFound as error:
            hint = "if only its packages are signed: signedMetadata: false; if nothing is: [trusted=yes] as its key"
            raise TrustError("expected a signature, found none", where=signature, hint=hint) from error
    return documents


def judged(ring: Keyring, documents: dict[str, bytes], where: str) -> tuple[str, ...]:
    """Return who signed the repomd.xml at the URL `where`; raises TrustError."""
    signature = f"{where}.asc"
    return detached_signers(ring.gpg, documents[where], documents[signature], where=signature)


def _add_filelists(found: Sequence[_Found], source: Documents, before: dict[str, Any]) -> None:
    for one in found:
        if FILELISTS in one.repomd.files:
            last = before.get(one.entry["origin"], {})
            filelists = _listed(one.repomd, FILELISTS, one.entry["url"], source, last)
            one.entry["filelists"] = {name: value for name, value in filelists.items() if name not in ("url", "size")}


def _listed(repomd: Repomd, kind: str, base: str, source: Documents, last: dict[str, Any]) -> dict[str, Any]:
    """Return the index's word on a file that repomd.xml vouches for, once it is in the store."""
    file = repomd.files[kind]
    where = f"{base}/{file.location}"
    body = _stored(file, source.store, last.get(kind))
    if body is None:
        body = source.fetcher.fetch(where, limit=file.size).body or b""
        _expect(body, file.checksum, file.size if file.exact else len(body), where)
    plain = decompressed(body, file.compression, file.plain_size, where=where)
    if file.plain:
        _expect(plain, file.plain, len(plain), f"{where}, decompressed")
    refuse_markup(plain, root=ROOTS[kind], where=where)
    return {
        "url": where,
        "size": len(body),
        "sha256": source.store.add(body),
        "checksum": str(file.checksum),
        "compression": file.compression,
        "plain_size": len(plain),
    }


def _stored(file: MetadataFile, store: Store, last: dict[str, Any] | None) -> bytes | None:
    """Return the file if the store has it: under its own sha256, or as last time's of the same checksum."""
    known = ""
    if file.checksum.algorithm == "sha256":
        known = file.checksum.value
    elif last and last["checksum"] == str(file.checksum):
        known = last["sha256"]
    if not known or not store.has(Digest(known)):
        return None
    try:
        return store.read(Digest(known))
    except OicError:
        return None  # the store removed a damaged file: fetch it again


def _expect(body: bytes, checksum: Checksum, size: int, where: str) -> None:
    found = hashlib.new(checksum.algorithm, body).hexdigest()
    if (len(body), found) != (size, checksum.value):
        expected = f"expected {checksum.algorithm} {checksum.value} of {size} bytes"
        hint = "the mirror may be in the middle of an update: try again later"
        raise TrustError(f"{expected}, found {found} of {len(body)} bytes", where=where, hint=hint)
