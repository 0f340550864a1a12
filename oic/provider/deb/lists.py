"""The lists of packages of a suite: the Packages files that its Release file lists, fetched and verified.

* A suite has a directory below ``dists``, and a list for each component and architecture.
* The suite of a flat repository ends with a slash: it is a directory below the repository's URL, with one list
  (sources.list(5)). One that is taken unsigned need not have a Release file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from oic.errors import TrustError
from oic.ospackage.fetch import NotFound
from oic.ospackage.indexed import ComponentFile
from oic.ospackage.locked import LockedDocument
from oic.provider.compression import decompressed
from oic.provider.deb.release import is_flat
from oic.provider.documents import check_digest
from oic.values import Bytes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from oic.config.repository import Repository
    from oic.provider.deb.release import IndexFile, Release
    from oic.provider.documents import Documents

    Listed = tuple[LockedDocument, ComponentFile]

PACKAGES = "Packages"
MAX_PACKAGES = 2**30
_PREFERRED = ("xz", "gz", "")
"""The compressions of a list that are used, the preferred one first."""


def directory_of(url: str, suite: str) -> str:
    """Return the URL of the directory that holds a suite's Release file."""
    if not is_flat(suite):
        return f"{url.rstrip('/')}/dists/{suite}"
    return "/".join(filter(None, (url.rstrip("/"), suite.removeprefix("./").strip("/"))))


def list_paths(suite: str, components: Sequence[str], architectures: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield each component with the path of a list of its packages, below the directory of the suite."""
    if is_flat(suite):
        yield "", PACKAGES
    for component in components:
        for architecture in architectures:
            yield component, f"{component}/binary-{architecture}/{PACKAGES}"


def fetch_lists(repository: Repository, architecture: str, release: Release, source: Documents) -> Iterator[Listed]:
    """Yield the lists of a suite, from the store where they are there; raises FetchError or TrustError."""
    base = directory_of(repository.url, repository.suite)
    _check_architecture(release, architecture, base)
    architectures = (architecture, "all") if release.separate_all else (architecture,)
    for component, path in list_paths(repository.suite, repository.components, architectures):
        file, compression = _listed(release, path, base)
        plain = release.files.get(path)
        body = _listed_file(file, release, base, source)
        limit = min(plain.size, MAX_PACKAGES) if plain else MAX_PACKAGES
        text = decompressed(body, compression, limit, where=f"{base}/{file.path}")
        if plain:
            check_digest(text, "sha256", plain.sha256, plain.size, where=f"{base}/{file.path}, decompressed")
        yield _stored(body, _urls(file, release, base)[0], component, compression, len(text), source)


def fetch_bare_list(base: str, source: Documents) -> Listed:
    """Return the list of a flat repository that has no Release file; raises NotFound, FetchError or TrustError."""
    for compression in _PREFERRED:
        url = f"{base}/{PACKAGES}.{compression}" if compression else f"{base}/{PACKAGES}"
        body = source.document_if_there(url)
        if body is not None:
            text = decompressed(body, compression, MAX_PACKAGES, where=url)
            return _stored(body, url, "", compression, len(text), source)
    raise NotFound("expected a flat repository, found neither Release nor Packages", where=base)


def _stored(  # noqa: PLR0913 - what both entries hold
    body: bytes, url: str, component: str, compression: str, plain_size: int, source: Documents
) -> Listed:
    digest = source.store.add(body)
    return (
        LockedDocument(name=PACKAGES, url=url, sha256=digest, size=Bytes(len(body))),
        ComponentFile(component=component, sha256=digest, compression=compression, plain_size=plain_size),
    )


def _check_architecture(release: Release, architecture: str, base: str) -> None:
    if release.architectures and not {architecture, "all"} & set(release.architectures):
        there = ", ".join(release.architectures)
        raise TrustError(f"expected packages for {architecture}, found {there}", where=f"{base}/Release")


def _listed(release: Release, path: str, base: str) -> tuple[IndexFile, str]:
    for compression in _PREFERRED:
        if file := release.files.get(f"{path}.{compression}" if compression else path):
            return file, compression
    there = ", ".join(release.components) or "none named"
    raise TrustError(f"expected an index {path}, found none; components: {there}", where=f"{base}/Release")


def _urls(file: IndexFile, release: Release, base: str) -> list[str]:
    folder = "/".join(filter(None, (base, file.path.rpartition("/")[0])))
    return [*([f"{folder}/by-hash/SHA256/{file.sha256}"] if release.by_hash else []), f"{base}/{file.path}"]


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
