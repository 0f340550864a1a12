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

from msgspec.structs import replace

from oic.config.checks import TRUSTED
from oic.errors import TrustError
from oic.handover.packages import Index
from oic.ospackage.allowed import missing_lines
from oic.ospackage.fetch import NotFound
from oic.ospackage.indexed import ComponentFile, DebRepository
from oic.ospackage.origin import UNKNOWN
from oic.progress import note
from oic.provider.age import age_warning, older_error
from oic.provider.deb.lists import directory_of, fetch_bare_list, fetch_lists
from oic.provider.deb.release import check_release, is_flat, parse_release
from oic.provider.deb.signature import signed_text, text_between
from oic.provider.deb.solve import source_of
from oic.provider.documents import Documents
from oic.provider.keys import indexed_keys, keyring_of, known_keys, read_keys
from oic.provider.openpgp import detached_signers
from oic.provider.protocol import Metadata

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from oic.config.repository import Repository
    from oic.handover.collected import CollectedRepository
    from oic.ospackage.fetch import Fetcher
    from oic.ospackage.origin import KnownSigners
    from oic.ospackage.store import Store
    from oic.provider.keys import KeyFile
    from oic.provider.openpgp import Keyring
    from oic.provider.protocol import Previous

_NEVER = datetime.fromtimestamp(0, UTC)
"""The date of a repository that says none: one without a Release file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _LastRun:
    """What is known of a repository from the last run (its entry in the index, its signers), and the time now."""

    entry: DebRepository | None
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
    entries = previous.index.of(DebRepository) if previous.index else ()
    before = {(entry.url, entry.suite): entry for entry in entries}
    found = [
        _made_entry(repository, made[repository.name])
        if made and repository.name in made
        else _read_repository(
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
    index = Index(architecture=architecture, repositories=tuple(found))
    for entry in found:
        if entry.allow_packages:
            packages = source_of(entry, architecture, store)
            for line in missing_lines(entry.name, packages.allowed, packages.missing()):
                note(line)
    return Metadata(index=index, answers=source.new_memo)


def metadata_warnings(index: Index, now: datetime) -> list[str]:
    """Return a warning for each repository whose metadata are old or past their Valid-Until."""
    found = [_warning(entry, now) for entry in index.of(DebRepository)]
    return [warning for warning in found if warning]


def _warning(entry: DebRepository, now: datetime) -> str:
    if entry.date == _NEVER:
        return ""
    if entry.valid_until and entry.valid_until < now:
        return f"the metadata of {entry.name} was valid until {entry.valid_until.isoformat()}: run doit update"
    return age_warning(entry.name, entry.date, now)


def _made_entry(repository: Repository, made: CollectedRepository) -> DebRepository:
    """Return the entry of a repository that the build made of package files."""
    size = int(made.listing_size)
    file = ComponentFile(component="", sha256=made.listing, compression="", plain_size=size)
    return replace(_entry(repository), packages=(file,))


def _entry(repository: Repository) -> DebRepository:
    return DebRepository(
        name=repository.name,
        url=repository.url,
        suite=repository.suite,
        components=repository.components,
        priority=repository.priority,
        allow_packages=repository.allow_packages,
        signers=(),
        trusted=repository.trusted,
        keys=(),
        documents=(),
        date=_NEVER,
        valid_until=None,
        packages=(),
        group=repository.group,
    )


def _read_repository(repository: Repository, architecture: str, source: Documents, last: _LastRun) -> DebRepository:
    base = directory_of(repository.url, repository.suite)
    entry = _entry(repository)
    found = _fetch_release(repository, base, source, last.known)
    if found is None:
        listed = [fetch_bare_list(base, source)]
        return replace(entry, documents=(listed[0][0],), packages=(listed[0][1],))
    documents, text, signers, keys = found
    where = f"{base}/{next(iter(documents))}"
    release = parse_release(text, where=where)
    check_release(release, repository.suite, last.now, where=where)
    if last.entry and release.date < last.entry.date:
        raise older_error(last.entry.date.isoformat(), release.date.isoformat(), where=where)
    listed = list(fetch_lists(repository, architecture, release, source))
    signed = [source.remember(f"{base}/{name}", body) for name, body in documents.items()]
    return replace(
        entry,
        signers=signers,
        keys=indexed_keys(*keys, source.store),
        documents=(*signed, *(document for document, _ in listed)),
        date=release.date,
        valid_until=release.valid_until,
        packages=tuple(file for _, file in listed),
    )


def _fetch_release(
    repository: Repository, base: str, source: Documents, memory: KnownSigners
) -> tuple[dict[str, bytes], str, tuple[str, ...], tuple[tuple[KeyFile, ...], dict[str, tuple[str, ...]]]] | None:
    """Return the documents, the signed text, its signers, and the key files with the keys to remember.

    Returns None for an unsigned flat repository without a Release file.
    """
    try:
        documents = {"InRelease": source.document(f"{base}/InRelease")}
    except NotFound:
        release = source.document_if_there(f"{base}/Release")
        if release is None:
            if repository.trusted and is_flat(repository.suite):
                return None
            raise _no_release(repository, base, source) from None
        documents = {"Release": release}
        if not repository.trusted:
            documents["Release.gpg"] = _signature(f"{base}/Release.gpg", source)
    if repository.trusted:
        return documents, _unsigned_text(documents, base), (), ((), {})
    files = read_keys(repository, source.fetcher)
    with keyring_of(files) as ring:
        text, signers = signed_release(ring, documents, base)
    known = known_keys(repository.name, files, ring, signers, memory)
    return documents, text, signers, (files, known)


def _no_release(repository: Repository, base: str, source: Documents) -> NotFound:
    """Return the error for a repository without a Release file, with what is there instead."""
    if source.document_if_there(f"{repository.url}/repodata/repomd.xml") is not None:
        return NotFound("expected a repository of debs, found one of rpms", where=repository.url)
    if source.document_if_there(f"{repository.url}/Release") is not None:
        hint = "its suite (codename) is './'"
        return NotFound(f"expected the suite {repository.suite}, found a flat repository", where=base, hint=hint)
    hint = "are the URL and the suite (codename) right?"
    return NotFound("expected a Release file, found neither InRelease nor Release", where=base, hint=hint)


def _signature(url: str, source: Documents) -> bytes:
    body = source.document_if_there(url)
    if body is None:
        raise TrustError("expected a signature, found none", where=url, hint=f"{TRUSTED} as its key takes it unsigned")
    return body


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
