"""Fetch and verify a Debian repository's metadata: InRelease, then the Packages it vouches for.

    keys ─> private keyring
    InRelease (or Release + Release.gpg) ─gpg─> signed text ─> suite, dates, not older than last time
        └─ Packages.xz by hash ─ size, sha256, sha256 of what is in it ─> store

* What is returned holds digests of verified bytes in the store, nothing else of the mirror's.
* What a server needs to answer "not modified" is returned apart, under ``http``: it changes without the content
  changing, so the caller keeps it out of the hand-over. A "not modified" is believed about bytes only that were
  verified, and they are verified again.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from oic.errors import OicError, TrustError
from oic.ospackage.fetch import NotFound
from oic.provider.age import age_warning
from oic.provider.compression import decompressed
from oic.provider.deb.release import check_release, parse_release
from oic.provider.deb.signature import signed_text, text_between
from oic.provider.documents import Documents, document_of
from oic.provider.keys import entries_of, keyring_of, known_keys, read_keys
from oic.provider.openpgp import detached_signers

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from oic.config.repository import Repository
    from oic.ospackage.fetch import Fetcher
    from oic.ospackage.store import Store
    from oic.provider.deb.release import IndexFile, Release
    from oic.provider.keys import KeyFile
    from oic.provider.openpgp import Keyring

PACKAGES = "Packages"
MOST_PACKAGES = 2**30
_PREFERRED = ("xz", "gz", "")
"""What an index may be compressed with, best first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Before:
    """What is known of a repository from last time: its entry in the index and its keys; and what time it is."""

    entry: dict[str, Any] | None
    keys: dict[str, Any]
    now: datetime


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
    before = {(entry["url"], entry["suite"]): entry for entry in previous.get("repositories", [])}
    known = previous.get("known", {})
    entries = [
        _read_repository(
            repository,
            architecture,
            source,
            _Before(
                entry=before.get((repository.url, repository.suite)),
                keys=known.get(repository.name, {}),
                now=now or datetime.now(UTC),
            ),
        )
        for repository in repositories
    ]
    return {"architecture": architecture, "repositories": entries, "http": source.new_memo}


def metadata_warnings(index: dict[str, Any], now: datetime) -> list[str]:
    """Return a warning for each repository whose metadata is past its Valid-Until by now, or old."""
    found = [_warning(entry, now) for entry in index["repositories"]]
    return [warning for warning in found if warning]


def _warning(entry: dict[str, Any], now: datetime) -> str:
    if entry["valid_until"] and datetime.fromisoformat(entry["valid_until"]) < now:
        return f"the metadata of {entry['name']} was valid until {entry['valid_until']}: run doit update"
    return age_warning(entry["name"], datetime.fromisoformat(entry["date"]), now)


def _read_repository(repository: Repository, architecture: str, source: Documents, last: _Before) -> dict[str, Any]:
    base = f"{repository.url.rstrip('/')}/dists/{repository.suite}"
    documents, text, signers, keys = _signed_release(repository, base, source, last.keys)
    where = f"{base}/{next(iter(documents))}"
    release = parse_release(text, where=where)
    check_release(release, repository.suite, last.now, where=where)
    if last.entry and release.date < datetime.fromisoformat(last.entry["date"]):
        hint = "the mirror lags behind or replays: try again later, or another one"
        raise TrustError(
            f"expected metadata no older than {last.entry['date']}, found {release.date.isoformat()}",
            where=where,
            hint=hint,
        )
    packages = list(_read_packages(repository, architecture, release, base, source))
    listed = [
        {"name": PACKAGES, **{name: one.pop(name) for name in ("url", "size")}, "sha256": one["sha256"]}
        for one in packages
    ]
    signed = [document_of(f"{base}/{name}", body) for name, body in documents.items()]
    return {
        "name": repository.name,
        "url": repository.url,
        "suite": repository.suite,
        "components": list(repository.components),
        "priority": repository.priority,
        "allow_packages": list(repository.allow_packages),
        "signers": list(signers),
        "keys": entries_of(*keys, source.store),
        "documents": [] if repository.trusted else [*signed, *listed],
        "release": {name: source.remember(f"{base}/{name}", body) for name, body in documents.items()},
        "date": release.date.isoformat(),
        "valid_until": release.valid_until.isoformat() if release.valid_until else "",
        "packages": packages,
    }


def _signed_release(
    repository: Repository, base: str, source: Documents, memory: dict[str, Any]
) -> tuple[dict[str, bytes], str, tuple[str, ...], tuple[tuple[KeyFile, ...], dict[str, tuple[str, ...]]]]:
    """Return the documents, the text that was signed, by whom, and the keys that are known from now on."""
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
        text, signers = judged(ring, documents, base)
    known = known_keys(repository.name, files, ring, signers, memory)
    return documents, text, signers, (files, known)


def judged(ring: Keyring, documents: Mapping[str, bytes], base: str) -> tuple[str, tuple[str, ...]]:
    """Return the text of an InRelease, or of a Release and its Release.gpg, and who signed it; raises TrustError."""
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
) -> Iterator[dict[str, Any]]:
    architectures = (architecture, "all") if release.separate_all else (architecture,)
    for component in repository.components:
        for name in architectures:
            path = f"{component}/binary-{name}/Packages"
            file, compression = _listed(release, path, base)
            plain = release.files.get(path)
            body = _vouched(file, release, base, source)
            limit = min(plain.size, MOST_PACKAGES) if plain else MOST_PACKAGES
            text = decompressed(body, compression, limit, where=f"{base}/{file.path}")
            if plain:
                _expect(text, plain, f"{base}/{file.path}, decompressed")
            source.store.add(body)
            yield {
                "component": component,
                "sha256": file.sha256,
                "compression": compression,
                "plain_size": len(text),
                "url": _urls(file, release, base)[0],
                "size": file.size,
            }


def _listed(release: Release, path: str, base: str) -> tuple[IndexFile, str]:
    for compression in _PREFERRED:
        if file := release.files.get(f"{path}.{compression}" if compression else path):
            return file, compression
    there = ", ".join(release.components) or "none named"
    raise TrustError(f"expected an index {path}, found none; components: {there}", where=f"{base}/Release")


def _urls(file: IndexFile, release: Release, base: str) -> list[str]:
    folder = file.path.rpartition("/")[0]
    return [*([f"{base}/{folder}/by-hash/SHA256/{file.sha256}"] if release.by_hash else []), f"{base}/{file.path}"]


def _vouched(file: IndexFile, release: Release, base: str, source: Documents) -> bytes:
    """Return a file the Release vouches for, from the store if it has it."""
    if source.store.has(file.sha256):
        try:
            return source.store.read(file.sha256)
        except OicError:
            pass  # the store removed a damaged file: fetch it again
    for url in _urls(file, release, base):
        try:
            body = source.fetcher.fetch(url, limit=min(file.size, MOST_PACKAGES)).body or b""
        except NotFound:
            if url.endswith(file.path):
                raise
            continue
        _expect(body, file, url)
        return body
    raise AssertionError(file.path)


def _expect(body: bytes, file: IndexFile, where: str) -> None:
    found = hashlib.sha256(body).hexdigest()
    if (len(body), found) != (file.size, file.sha256):
        expected = f"expected sha256 {file.sha256} of {file.size} bytes"
        hint = "the mirror may be in the middle of an update: try again later"
        raise TrustError(f"{expected}, found {found} of {len(body)} bytes", where=where, hint=hint)
