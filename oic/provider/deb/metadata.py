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
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from oic.errors import OicError, TrustError
from oic.net import NotFound
from oic.provider.compression import PREFERRED, decompressed
from oic.provider.deb.release import check_release, parse_release
from oic.provider.deb.signature import signed_text, text_between
from oic.provider.documents import Documents, key_files
from oic.provider.openpgp import detached_signers, keyring

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from oic.config.model import Repository
    from oic.net import Fetcher
    from oic.provider.deb.release import IndexFile, Release
    from oic.store import Store

_MOST_PACKAGES = 2**30


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
    entries = [
        _read_repository(
            repository, architecture, source, before.get((repository.url, repository.suite)), now or datetime.now(UTC)
        )
        for repository in repositories
    ]
    return {"architecture": architecture, "repositories": entries, "http": source.new_memo}


def metadata_warnings(index: dict[str, Any], now: datetime) -> list[str]:
    """Return a warning for each repository whose metadata is past its Valid-Until by now."""
    return [
        f"the metadata of {entry['name']} was valid until {entry['valid_until']}: run doit update"
        for entry in index["repositories"]
        if entry["valid_until"] and datetime.fromisoformat(entry["valid_until"]) < now
    ]


def _read_repository(
    repository: Repository, architecture: str, source: Documents, before: dict[str, Any] | None, now: datetime
) -> dict[str, Any]:
    base = f"{repository.url.rstrip('/')}/dists/{repository.suite}"
    documents, text, signers = _signed_release(repository, base, source)
    where = f"{base}/{next(iter(documents))}"
    release = parse_release(text, where=where)
    check_release(release, repository.suite, now, where=where)
    if before and release.date < datetime.fromisoformat(before["date"]):
        hint = "the mirror lags behind or replays: try again later, or another one"
        raise TrustError(
            f"expected metadata no older than {before['date']}, found {release.date.isoformat()}",
            where=where,
            hint=hint,
        )
    packages = list(_read_packages(repository, architecture, release, base, source))
    return {
        "name": repository.name,
        "url": repository.url,
        "suite": repository.suite,
        "components": list(repository.components),
        "priority": repository.priority,
        "allow_packages": list(repository.allow_packages),
        "signers": list(signers),
        "release": {name: source.remember(f"{base}/{name}", body) for name, body in documents.items()},
        "date": release.date.isoformat(),
        "valid_until": release.valid_until.isoformat() if release.valid_until else "",
        "packages": packages,
    }


def _signed_release(
    repository: Repository, base: str, source: Documents
) -> tuple[dict[str, bytes], str, tuple[str, ...]]:
    """Return the documents, the text that was signed, and by whom."""
    try:
        documents = {"InRelease": source.document(f"{base}/InRelease")}
    except NotFound:
        documents = {"Release": source.document(f"{base}/Release")}
        if not repository.trusted:
            documents["Release.gpg"] = source.document(f"{base}/Release.gpg")
    if repository.trusted:
        return documents, _unsigned_text(documents, base), ()
    with keyring(key_files(repository, source.fetcher)) as gpg:
        if "InRelease" in documents:
            text, signers = signed_text(gpg, documents["InRelease"], where=f"{base}/InRelease")
        else:
            signers = detached_signers(gpg, documents["Release"], documents["Release.gpg"], where=f"{base}/Release.gpg")
            text = documents["Release"].decode("utf-8", "replace")
    return documents, text, signers


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
            limit = min(plain.size, _MOST_PACKAGES) if plain else _MOST_PACKAGES
            text = decompressed(body, compression, limit, where=f"{base}/{file.path}")
            if plain:
                _expect(text, plain, f"{base}/{file.path}, decompressed")
            source.store.add(body)
            yield {"component": component, "sha256": file.sha256, "compression": compression, "plain_size": len(text)}


def _listed(release: Release, path: str, base: str) -> tuple[IndexFile, str]:
    for compression in PREFERRED:
        if file := release.files.get(f"{path}.{compression}" if compression else path):
            return file, compression
    there = ", ".join(release.components) or "none named"
    raise TrustError(f"expected an index {path}, found none; components: {there}", where=f"{base}/Release")


def _vouched(file: IndexFile, release: Release, base: str, source: Documents) -> bytes:
    """Return a file the Release vouches for, from the store if it has it."""
    if source.store.has(file.sha256):
        try:
            return source.store.read(file.sha256)
        except OicError:
            pass  # the store removed a damaged file: fetch it again
    folder = file.path.rpartition("/")[0]
    urls = [f"{base}/{folder}/by-hash/SHA256/{file.sha256}"] if release.by_hash else []
    for url in (*urls, f"{base}/{file.path}"):
        try:
            body = source.fetcher.fetch(url, limit=min(file.size, _MOST_PACKAGES)).body or b""
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
