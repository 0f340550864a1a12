"""Fetch and verify a Debian repository's metadata: InRelease, then the Packages files that it lists.

    keys ─> private keyring
    InRelease (or Release + Release.gpg) ─gpg─> signed text ─> suite, dates, not older than last time
        └─ Packages.xz by hash ─ size, sha256, sha256 of what is in it ─> store

* The result refers to verified bytes in the store by digest, and contains nothing else from the mirror.
* What a server needs to answer "not modified" is returned separately: see `oic.provider.documents`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from oic.errors import TrustError
from oic.handover.packages import Index
from oic.ospackage.fetch import NotFound
from oic.ospackage.indexed import ComponentFile, DebRepository
from oic.ospackage.locked import LockedDocument
from oic.ospackage.origin import UNKNOWN
from oic.provider.age import age_warning, older_error
from oic.provider.compression import decompressed
from oic.provider.deb.release import check_release, parse_release
from oic.provider.deb.signature import signed_text, text_between
from oic.provider.documents import Documents, check_digest
from oic.provider.keys import indexed_keys, keyring_of, known_keys, read_keys
from oic.provider.openpgp import detached_signers
from oic.provider.protocol import Metadata
from oic.values import Bytes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from oic.config.repository import Repository
    from oic.ospackage.fetch import Fetcher
    from oic.ospackage.origin import KnownSigners
    from oic.ospackage.store import Store
    from oic.provider.deb.release import IndexFile, Release
    from oic.provider.keys import KeyFile
    from oic.provider.openpgp import Keyring
    from oic.provider.protocol import Previous

PACKAGES = "Packages"
MAX_PACKAGES = 2**30
_PREFERRED = ("xz", "gz", "")
"""The compressions of an index that are used, the preferred one first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _LastRun:
    """What is known of a repository from the last run (its entry in the index, its signers), and the time now."""

    entry: DebRepository | None
    known: KnownSigners
    now: datetime


def read_metadata(  # noqa: PLR0913 - the five of the protocol, and the clock
    repositories: Sequence[Repository],
    architecture: str,
    fetcher: Fetcher,
    store: Store,
    previous: Previous,
    *,
    now: datetime | None = None,
) -> Metadata:
    """Return the index and the servers' answers; raises FetchError or TrustError."""
    source = Documents(fetcher=fetcher, store=store, memo=previous.answers, new_memo={})
    entries = previous.index.of(DebRepository) if previous.index else ()
    before = {(entry.url, entry.suite): entry for entry in entries}
    found = [
        _read_repository(
            repository,
            architecture,
            source,
            _LastRun(
                entry=before.get((repository.url, repository.suite)),
                known=previous.known.get(repository.name, UNKNOWN),
                now=now or datetime.now(UTC),
            ),
        )
        for repository in repositories
    ]
    return Metadata(index=Index(architecture=architecture, repositories=tuple(found)), answers=source.new_memo)


def metadata_warnings(index: Index, now: datetime) -> list[str]:
    """Return a warning for each repository whose metadata are old or past their Valid-Until."""
    found = [_warning(entry, now) for entry in index.of(DebRepository)]
    return [warning for warning in found if warning]


def _warning(entry: DebRepository, now: datetime) -> str:
    if entry.valid_until and entry.valid_until < now:
        return f"the metadata of {entry.name} was valid until {entry.valid_until.isoformat()}: run doit update"
    return age_warning(entry.name, entry.date, now)


def _read_repository(repository: Repository, architecture: str, source: Documents, last: _LastRun) -> DebRepository:
    base = f"{repository.url.rstrip('/')}/dists/{repository.suite}"
    documents, text, signers, keys = _fetch_release(repository, base, source, last.known)
    where = f"{base}/{next(iter(documents))}"
    release = parse_release(text, where=where)
    check_release(release, repository.suite, last.now, where=where)
    if last.entry and release.date < last.entry.date:
        raise older_error(last.entry.date.isoformat(), release.date.isoformat(), where=where)
    listed = list(_read_packages(repository, architecture, release, base, source))
    signed = [source.remember(f"{base}/{name}", body) for name, body in documents.items()]
    return DebRepository(
        name=repository.name,
        url=repository.url,
        suite=repository.suite,
        components=repository.components,
        priority=repository.priority,
        allow_packages=repository.allow_packages,
        signers=signers,
        trusted=repository.trusted,
        keys=indexed_keys(*keys, source.store),
        documents=(*signed, *(document for document, _ in listed)),
        date=release.date,
        valid_until=release.valid_until,
        packages=tuple(file for _, file in listed),
    )


def _fetch_release(
    repository: Repository, base: str, source: Documents, memory: KnownSigners
) -> tuple[dict[str, bytes], str, tuple[str, ...], tuple[tuple[KeyFile, ...], dict[str, tuple[str, ...]]]]:
    """Return the documents, the signed text, its signers, and the key files with the keys to remember."""
    try:
        documents = {"InRelease": source.document(f"{base}/InRelease")}
    except NotFound:
        documents = {"Release": source.document(f"{base}/Release")}
        if not repository.trusted:
            documents["Release.gpg"] = source.document(f"{base}/Release.gpg")
    if repository.trusted:
        return documents, _unsigned_text(documents, base), (), ((), {})
    files = read_keys(repository, source.fetcher)
    with keyring_of(files) as ring:
        text, signers = signed_release(ring, documents, base)
    known = known_keys(repository.name, files, ring, signers, memory)
    return documents, text, signers, (files, known)


def signed_release(ring: Keyring, documents: Mapping[str, bytes], base: str) -> tuple[str, tuple[str, ...]]:
    """Return the signed text of an InRelease or of a Release with Release.gpg, and its signers; raises TrustError."""
    if "InRelease" in documents:
        return signed_text(ring.gpg, documents["InRelease"], where=f"{base}/InRelease")
    where = f"{base}/Release.gpg"
    signers = detached_signers(ring.gpg, documents["Release"], documents["Release.gpg"], where=where)
    return documents["Release"].decode("utf-8", "replace"), signers


def _unsigned_text(documents: dict[str, bytes], base: str) -> str:
    name, body = next(iter(documents.items()))
    text = body.decode("utf-8", "replace")
    return text_between(text, where=f"{base}/InRelease") if name == "InRelease" else text


def _read_packages(
    repository: Repository, architecture: str, release: Release, base: str, source: Documents
) -> Iterator[tuple[LockedDocument, ComponentFile]]:
    architectures = (architecture, "all") if release.separate_all else (architecture,)
    for component in repository.components:
        for name in architectures:
            path = f"{component}/binary-{name}/Packages"
            file, compression = _listed(release, path, base)
            plain = release.files.get(path)
            body = _listed_file(file, release, base, source)
            limit = min(plain.size, MAX_PACKAGES) if plain else MAX_PACKAGES
            text = decompressed(body, compression, limit, where=f"{base}/{file.path}")
            if plain:
                check_digest(text, "sha256", plain.sha256, plain.size, where=f"{base}/{file.path}, decompressed")
            digest = source.store.add(body)
            yield (
                LockedDocument(name=PACKAGES, url=_urls(file, release, base)[0], sha256=digest, size=Bytes(len(body))),
                ComponentFile(component=component, sha256=digest, compression=compression, plain_size=len(text)),
            )


def _listed(release: Release, path: str, base: str) -> tuple[IndexFile, str]:
    for compression in _PREFERRED:
        if file := release.files.get(f"{path}.{compression}" if compression else path):
            return file, compression
    there = ", ".join(release.components) or "none named"
    raise TrustError(f"expected an index {path}, found none; components: {there}", where=f"{base}/Release")


def _urls(file: IndexFile, release: Release, base: str) -> list[str]:
    folder = file.path.rpartition("/")[0]
    return [*([f"{base}/{folder}/by-hash/SHA256/{file.sha256}"] if release.by_hash else []), f"{base}/{file.path}"]


def _listed_file(file: IndexFile, release: Release, base: str, source: Documents) -> bytes:
    """Return a file that the Release lists, from the store if it is there."""
    if (stored := source.stored(file.sha256)) is not None:
        return stored
    for url in _urls(file, release, base):
        try:
            body = source.fetcher.fetch(url, limit=min(file.size, MAX_PACKAGES)).body or b""
        except NotFound:
            if url.endswith(file.path):
                raise
            continue
        check_digest(body, "sha256", file.sha256, file.size, where=url)
        return body
    raise AssertionError(file.path)
