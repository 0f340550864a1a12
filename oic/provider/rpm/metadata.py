"""Fetch and verify an rpm repository's metadata: repomd.xml, then the primary and filelists that it lists.

    mirror list ─> base URL
    keys ─> private keyring
    repomd.xml + repomd.xml.asc ─gpg─> document (where it is signed) ─> not older than last time
        └─ primary ─ size, checksum, checksum when decompressed ─> well-formed packages ─> store
              └─ a path in a package's dependencies that no primary lists ─> filelists, as primary

* The result refers to verified bytes in the store by digest, and contains nothing else from the mirror. What a server
  needs to answer "not modified" is returned separately: see `oic.provider.documents`.
* The key files go into the store too, because each package is signed by one of the keys.
* rpm metadata have no end of validity. They must not be older than in the last run, and old ones get a warning.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from msgspec.structs import replace

from oic.errors import TrustError
from oic.handover.packages import Index
from oic.ospackage.allowed import missing_lines
from oic.ospackage.fetch import NotFound
from oic.ospackage.indexed import ListedFile, RpmRepository
from oic.ospackage.locked import LockedDocument
from oic.ospackage.origin import UNKNOWN
from oic.progress import note
from oic.provider.age import age_warning
from oic.provider.compression import decompressed
from oic.provider.documents import Documents, check_digest
from oic.provider.keys import indexed_keys, keyring_of, known_keys, read_keys
from oic.provider.openpgp import detached_signers
from oic.provider.protocol import Metadata
from oic.provider.rpm.entries import entry_of, made_entry, origin_of
from oic.provider.rpm.markup import refuse_markup
from oic.provider.rpm.mirrors import bases_of, from_first
from oic.provider.rpm.pool import Packages
from oic.provider.rpm.repomd import FILELISTS, OF_CLIENTS, PRIMARY, ROOTS, check_age, parse_repomd
from oic.provider.rpm.solve import source_of
from oic.values import Bytes, Digest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from oic.config.repository import Repository
    from oic.handover.collected import CollectedRepository
    from oic.ospackage.fetch import Fetcher
    from oic.ospackage.origin import KnownSigners
    from oic.ospackage.store import Store
    from oic.provider.openpgp import Keyring
    from oic.provider.protocol import Previous
    from oic.provider.rpm.repomd import MetadataFile, Repomd

_REPOMD = "repodata/repomd.xml"
_EARLIEST = 10**9
"""A time in 2001, before there was such metadata: smaller numbers are counters and not times."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """A repository's entry in the index, and its repomd.xml, from which filelists may be needed later.

    A repository that is made of package files has none: its list has all files.
    """

    entry: RpmRepository
    repomd: Repomd | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _LastRun:
    """What is known of a repository from the last run (its entry in the index, its signers), and the time now."""

    entry: RpmRepository | None
    known: KnownSigners
    now: datetime


def read_metadata(  # noqa: PLR0913 - those of the protocol, and the clock
    repositories: Sequence[Repository],
    architecture: str,
    fetcher: Fetcher,
    store: Store,
    previous: Previous,
    made: Mapping[str, CollectedRepository] | None = None,
    *,
    now: datetime | None = None,
) -> Metadata:
    """Return the index and the servers' answers; raises FetchError or TrustError."""
    source = Documents(fetcher=fetcher, store=store, memo=previous.answers, new_memo={})
    before = {entry.origin: entry for entry in (previous.index.of(RpmRepository) if previous.index else ())}
    found = []
    for repository in repositories:
        if made and repository.name in made:
            found.append(_Found(entry=made_entry(repository, made[repository.name]), repomd=None))
            continue
        last = _LastRun(
            entry=before.get(origin_of(repository)),
            known=previous.known.get(repository.name, UNKNOWN),
            now=now or datetime.now(UTC),
        )
        read = functools.partial(_read_repository, repository, source, last)
        found.append(from_first(bases_of(repository, architecture, fetcher), read))
    sources = [source_of(one.entry, store) for one in found]
    packages = Packages(sources, architecture)
    for line in packages.bad_entries():
        note(line)
    for one in sources:
        for line in missing_lines(one.name, one.allowed, packages.missing(one)):
            note(line)
    wanted = bool(packages.unlisted_files())
    entries = tuple(_with_filelists(one, source, before) if wanted else one.entry for one in found)
    return Metadata(index=Index(architecture=architecture, repositories=entries), answers=source.new_memo)


def metadata_warnings(index: Index, now: datetime) -> list[str]:
    """Return a warning for each repository whose metadata are old; they have no end of validity."""
    found = [
        age_warning(entry.name, datetime.fromtimestamp(_time_made(entry), UTC), now)
        for entry in index.of(RpmRepository)
        if _time_made(entry)
    ]
    return [warning for warning in found if warning]


def _time_made(entry: RpmRepository) -> int:
    """Return when an index was made, in seconds, by its newest file or its revision; 0 where neither is a time."""
    revision = entry.revision
    made = entry.timestamp or (int(revision) if re.fullmatch("[0-9]{9,11}", revision) else 0)
    return made if made > _EARLIEST else 0


def _read_repository(repository: Repository, source: Documents, last: _LastRun, base: str) -> _Found:
    where = f"{base}/{_REPOMD}"
    files = () if repository.trusted else read_keys(repository, source.fetcher)
    documents = _documents(repository, where, source)
    signers: tuple[str, ...] = ()
    known: dict[str, tuple[str, ...]] = {}
    if files:
        with keyring_of(files) as ring:
            signers = repomd_signers(ring, documents, where) if repository.signed_metadata else ()
        known = known_keys(repository.name, files, ring, signers, last.known)
    kept = OF_CLIENTS if repository.whole is True else ()
    repomd = parse_repomd(documents[where], where=where, kinds=(PRIMARY, FILELISTS, *kept))
    before = last.entry
    check_age(repomd, before.revision if before else "", before.timestamp if before else 0, last.now, where=where)
    listed, primary = _listed(repomd, PRIMARY, base, source, before.primary if before else None)
    further = [_listed(repomd, kind, base, source, None)[0] for kind in kept if kind in repomd.files]
    signed = [source.remember(url, body) for url, body in documents.items()]
    entry = replace(
        entry_of(repository, primary),
        url=base,
        signers=signers,
        keys=indexed_keys(files, known, source.store),
        documents=(*signed, listed, *further),
        revision=repomd.revision,
        timestamp=repomd.timestamp,
    )
    return _Found(entry=entry, repomd=repomd)


def _documents(repository: Repository, where: str, source: Documents) -> dict[str, bytes]:
    """Return repomd.xml and, unless distribution or recipe say that it has none, its signature, by URL."""
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


def repomd_signers(ring: Keyring, documents: dict[str, bytes], where: str) -> tuple[str, ...]:
    """Return the signers of the repomd.xml at the URL `where`; raises TrustError."""
    signature = f"{where}.asc"
    return detached_signers(ring.gpg, documents[where], documents[signature], where=signature)


def _with_filelists(found: _Found, source: Documents, before: Mapping[str, RpmRepository]) -> RpmRepository:
    entry = found.entry
    if found.repomd is None or FILELISTS not in found.repomd.files:
        return entry
    last = before.get(entry.origin)
    _, filelists = _listed(found.repomd, FILELISTS, entry.url, source, last.filelists if last else None)
    return replace(entry, filelists=filelists)


def _listed(
    repomd: Repomd, kind: str, base: str, source: Documents, last: ListedFile | None
) -> tuple[LockedDocument, ListedFile]:
    """Store a file that repomd.xml lists; return its entries for the lock and the index."""
    file = repomd.files[kind]
    where = f"{base}/{file.location}"
    body = source.stored(_sha256_of(file, last))
    if body is None:
        body = source.fetcher.fetch(where, limit=file.size).body or b""
        size = file.size if file.exact else len(body)
        check_digest(body, file.checksum.algorithm, file.checksum.value, size, where=where)
    plain = decompressed(body, file.compression, file.plain_size, where=where)
    if file.plain:
        checksum = file.plain
        check_digest(plain, checksum.algorithm, checksum.value, len(plain), where=f"{where}, decompressed")
    if kind in ROOTS:
        refuse_markup(plain, root=ROOTS[kind], where=where)
    digest = source.store.add(body)
    return (
        LockedDocument(name=kind, url=where, sha256=digest, size=Bytes(len(body))),
        ListedFile(sha256=digest, checksum=str(file.checksum), compression=file.compression, plain_size=len(plain)),
    )


def _sha256_of(file: MetadataFile, last: ListedFile | None) -> Digest | None:
    """Return a file's sha256 if it is known: as its checksum, or from the last run's file with the same checksum."""
    if file.checksum.algorithm == "sha256":
        return Digest(file.checksum.value)
    return last.sha256 if last and last.checksum == str(file.checksum) else None
