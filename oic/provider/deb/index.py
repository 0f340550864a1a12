"""Compare a lock's packages with the signed index that the lock names: InRelease and its Packages files."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from oic.errors import TrustError
from oic.provider.compression import decompressed
from oic.provider.deb.lists import MAX_PACKAGES, PACKAGES, directory_of, list_paths
from oic.provider.deb.metadata import signed_release
from oic.provider.deb.packages import PackagesIndex
from oic.provider.deb.release import check_suite, parse_release
from oic.provider.keys import locked_keyring
from oic.provider.openpgp import ExpiredError
from oic.provider.protocol import Listing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from oic.ospackage.lock import Lock, LockedDocument, LockedPackage, LockedRepository
    from oic.ospackage.store import Store
    from oic.provider.deb.packages import DebPackage
    from oic.provider.deb.release import Release

_SIGNED = (("InRelease",), ("Release", "Release.gpg"))


def check_index(lock: Lock, repository: LockedRepository, store: Store) -> Listing | None:
    """Compare the lock with its index; see `oic.provider.protocol.Provider.check_index`."""
    documents = lock.indexes.get(repository.name, ())
    lists = [entry for entry in documents if entry.name == PACKAGES]
    by_name = {entry.name: entry for entry in documents if entry.name != PACKAGES}
    names = next((names for names in _SIGNED if all(name in by_name for name in names)), ())
    if not names or not lists or not repository.keys or not all(store.has(entry.sha256) for entry in documents):
        return None
    base = directory_of(repository.url, repository.suite)
    try:
        with locked_keyring(repository, store) as ring:
            text, signers = signed_release(ring, {name: store.read(by_name[name].sha256) for name in names}, base)
    except ExpiredError:
        return None
    release = parse_release(text, where=f"{base}/{names[0]}")
    check_suite(release, repository.suite, where=f"{base}/{names[0]}")
    index = _index(repository, lists, release, lock.asked.architecture, store)
    unlisted = {
        package.sha256: f"{package.name} {package.version} of sha256 {package.sha256}"
        for package in (one for packages in lock.sets.values() for one in packages)
        if package.repository == repository.name
        and not any(_is_same(package, found) for found in index.packages(package.name))
    }
    return Listing(signers=signers, unlisted=unlisted)


def _index(
    repository: LockedRepository, lists: Sequence[LockedDocument], release: Release, architecture: str, store: Store
) -> PackagesIndex:
    index = PackagesIndex(repository.name, architecture)
    paths = [path for _, path in list_paths(repository.suite, repository.components, (architecture, "all"))]
    wanted = re.compile(rf"(?P<plain>{'|'.join(map(re.escape, paths))})(?:\.(?P<kind>\w+))?")
    # In a nearly empty suite, the lists of several architectures are often identical.
    listed = {file.sha256: match for file in release.files.values() if (match := wanted.fullmatch(file.path))}
    for entry in lists:
        match = listed.get(entry.sha256)
        if match is None:
            raise TrustError("expected a list of packages that the signed index names, found another", where=entry.url)
        plain = release.files.get(match["plain"])
        limit = plain.size if plain else MAX_PACKAGES
        index.add(decompressed(store.read(entry.sha256), match["kind"] or "", limit, where=entry.url))
    return index


def _is_same(package: LockedPackage, found: DebPackage) -> bool:
    locked = (package.version, package.architecture, package.location, package.size, package.sha256)
    return locked == (found.version, found.architecture, found.location, found.size, found.sha256)
