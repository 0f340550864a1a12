"""Bring package files into the store: from a URL, from this host, or out of an archive.

    URL or file ─> work directory ─ sha256 ─> is it an archive? ─ no ─> store
                                                               └ yes ─> each package file in it ─> store

Every file is read once, and what is hashed is what is stored.
"""

from __future__ import annotations

import hashlib
from typing import IO, TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from oic.config.repository import ARCHIVES
from oic.errors import FetchError, OicError, TrustError
from oic.files import copy_and_hash, digest_of_file, open_regular
from oic.ospackage.fetch import redacted
from oic.process.host import disk_errors
from oic.provider.documents import refuse_web_page
from oic.values import Digest, Value

if TYPE_CHECKING:
    from pathlib import Path

    from oic.config.repository import PackageFile
    from oic.ospackage.http import HttpFetcher
    from oic.ospackage.store import Store

_MAX_FILE = 1 << 35
"""Bytes of a file from a URL, as of any file in an archive."""
_CHUNK = 1 << 20
_WEB_PAGE = 1 << 10


class Gathered(Value):
    """A package file in the store; `member` is its path in an archive, and `origin` the sha256 of what it came in."""

    digest: Digest
    size: int
    origin: Digest
    member: str = ""


class Gathering(Value):
    """Brings package files whose names have an ending into a store; `work` is an empty directory in its cache."""

    store: Store
    work: Path
    ending: str

    def from_url(self, file: PackageFile, fetcher: HttpFetcher) -> list[Gathered]:
        """Download a file; raises FetchError, or TrustError for another sha256 than the recipe's."""
        place = self.work / "file"
        where = redacted(file.url)
        place.unlink(missing_ok=True)
        with disk_errors(place):
            fetcher.fetch_whole(file.url, place, limit=_MAX_FILE, report=lambda _: None)
            digest = digest_of_file(place)
            if file.sha256 not in ("", digest):
                hint = "the server has another file now, or the recipe another sha256"
                raise TrustError(f"expected sha256 {file.sha256}, found {digest}", where=where, hint=hint)
            with place.open("rb") as opened:
                refuse_web_page(file.url, opened.read(_WEB_PAGE))
        return self._kept(place, digest, unquote(urlsplit(file.url).path), where)

    def from_host(self, file: PackageFile, path: Path) -> list[Gathered]:
        """Copy a file of this host; raises OicError when it is not the one that was there when the recipe was read."""
        place = self.work / "file"
        try:
            with open_regular(path) as source, disk_errors(place), place.open("wb") as target:
                digest = copy_and_hash(source, target)
        except OSError as error:
            raise FetchError(f"cannot read: {error.strerror}", where=str(path)) from error
        if digest != file.sha256:
            raise OicError("expected the file as it was when the recipe was read, found it changed", where=str(path))
        return self._kept(place, digest, path.name, file.name)

    def _kept(self, place: Path, digest: Digest, name: str, where: str) -> list[Gathered]:
        """Move a file into the store, or the package files of an archive."""
        kind = next((ending for ending in sorted(ARCHIVES, key=len, reverse=True) if name.endswith(ending)), "")
        if not kind:
            size = place.stat().st_size
            self.store.adopt(place, digest, size)
            return [Gathered(digest=digest, size=size, origin=digest)]
        from oic.provider.bundle import read_package_files  # noqa: PLC0415 - slow to import, and archives are rare

        found: list[Gathered] = []

        def keep(member: str, content: IO[bytes]) -> None:
            found.append(self._member(member, content, digest))

        read_package_files(place, self.ending, keep, kind=kind, where=where)
        place.unlink()
        if not found:
            raise TrustError(f"expected an archive of {self.ending} files, found none in it", where=where)
        return found

    def _member(self, member: str, content: IO[bytes], origin: Digest) -> Gathered:
        place = self.work / "member"
        whole = hashlib.sha256()
        size = 0
        with disk_errors(place), place.open("wb") as target:
            while data := content.read(_CHUNK):
                whole.update(data)
                size += len(data)
                target.write(data)
        digest = Digest(whole.hexdigest())
        self.store.adopt(place, digest, size)
        return Gathered(digest=digest, size=size, origin=origin, member=member)
