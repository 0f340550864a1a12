"""download: every package of the lock, and every key file, into the store; a name there means checked content.

The signed indexes of a lock that is kept come, too, where they can still be had: a mirror moves on. What was solved in
this cache has them in the store. Where they are gone, or nobody signs them, the repository's present index is verified
as `metadata` does: what it still lists, somebody else than the lock says is listed. Packages that are not signed by
themselves do not need it: their lock's index is held against them, or its URL is the recipe's.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from oic.chroot import toolbox
from oic.errors import FetchError, TrustError
from oic.handover.packages import Downloaded, LockFile
from oic.ospackage.download import DownloadItem, download_packages
from oic.ospackage.fetch import open_fetcher
from oic.ospackage.origin import locked_indexes
from oic.ospackage.store import Store
from oic.progress import note, progress
from oic.provider import provider_of
from oic.provider.protocol import Previous
from oic.stage import Kind
from oic.stages import metadata
from oic.values import Value

if TYPE_CHECKING:
    from oic.ospackage.lock import Lock, LockedDocument, LockedRepository
    from oic.stage import Stage
    from oic.values import Digest


class Slice(Value):
    """Nothing, as the lock says it all; of a lock that is `kept`, whose present indexes may vouch for it."""

    kept: metadata.Slice | None = None


def run(stage: Stage[Slice]) -> str:
    """Fetch what is missing."""
    lock = stage.read(LockFile).lock
    store = Store(stage.cache / "store")
    packages = {package.sha256: package for packages in lock.sets.values() for package in packages}
    wanted = [
        DownloadItem(
            digest=package.sha256, size=package.size, urls=(package.url,), label=f"{package.name} {package.version}"
        )
        for package in packages.values()
    ]
    remote = {entry.name: [key for key in entry.keys if not key.url.startswith("file:")] for entry in lock.repositories}
    keys = {key.sha256: (name, key) for name, found in remote.items() for key in found}
    signed_by = [
        DownloadItem(digest=key.sha256, size=key.size, urls=(key.url,), label=f"key of {name}")
        for name, key in keys.values()
    ]
    download_packages(signed_by, store, open_fetcher, progress)
    done = download_packages(wanted, store, open_fetcher, progress)
    indexes = _indexes(lock, store)
    present = _present(stage, stage.slice.kept, lock, store) if stage.slice.kept else {}
    indexes |= {document.sha256 for documents in present.values() for document in documents}
    there = sorted(stage.artefact(store.path(digest)) for digest in {*packages, *keys, *indexes})
    stage.write(Downloaded(blobs=tuple(there), present=present))
    return f"{done.fetched} packages fetched ({done.bytes / 1e6:.1f} MB), {done.reused} were there"


def _present(
    stage: Stage[Slice], part: metadata.Slice, lock: Lock, store: Store
) -> dict[str, tuple[LockedDocument, ...]]:
    """Return the documents of the present index of each repository whose listing the lock alone would vouch for."""
    provider = provider_of(part.provider)
    wanted = {entry.name for entry in lock.repositories if not entry.trusted and _is_lost(entry, lock, store)}
    found: dict[str, tuple[LockedDocument, ...]] = {}
    previous = Previous(known=metadata.known_in(stage.directory))
    for repository in part.repositories if provider.signs_packages() else ():
        if repository.name not in wanted:
            continue
        try:
            with toolbox.temporary_files_in(stage.path("work/download")), open_fetcher() as fetcher:
                read = provider.read_metadata([repository], part.architecture, fetcher, store, previous)
        except (FetchError, TrustError) as error:
            note(f"the present index of {repository.name} is not taken: {error}")
        else:
            found |= locked_indexes(read.index.repositories)
    return found


def _is_lost(repository: LockedRepository, lock: Lock, store: Store) -> bool:
    documents = lock.indexes.get(repository.name, ())
    return not repository.signers or not documents or not all(store.has(entry.sha256) for entry in documents)


def _indexes(lock: Lock, store: Store) -> set[Digest]:
    """Return which documents of the lock's signed indexes are in the store, once those were fetched that can be had."""
    documents = [document for found in lock.indexes.values() for document in found]
    missing = [entry for entry in documents if not store.has(entry.sha256)]
    for entry in missing:
        wanted = DownloadItem(digest=entry.sha256, size=entry.size, urls=(entry.url,), label=entry.name)
        with contextlib.suppress(FetchError, TrustError):  # gone, or another one by now
            download_packages([wanted], store, open_fetcher, progress)
    return {entry.sha256 for entry in documents if store.has(entry.sha256)}


KIND = Kind(
    name="download",
    version=4,
    doc="bring the packages into the store",
    reads=(LockFile,),
    writes=(Downloaded,),
    run=run,
)
