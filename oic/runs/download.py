"""Runs the stage `oic.stages.download`.

For a lock that the user keeps, its signed indexes are downloaded too, if the mirror still has them. If it does not, or
if they are unsigned, the present index of the repository is downloaded and verified as in `metadata`: for the packages
that it still lists, there is evidence besides the lock. This is not needed for packages without signatures: they are
checked against the index of the lock, or the repository must have the URL of the recipe.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from oic.bars import progress_bar
from oic.chroot import toolbox
from oic.config.repository import is_made
from oic.errors import FetchError, TrustError
from oic.handover.collected import Collected
from oic.handover.packages import Downloaded, LockFile
from oic.ospackage.download import DownloadItem, download_packages
from oic.ospackage.fetch import open_fetcher
from oic.ospackage.origin import locked_indexes
from oic.ospackage.store import Store
from oic.progress import note
from oic.provider import provider_of
from oic.provider.protocol import Previous
from oic.runs.metadata import known_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from oic.ospackage.lock import Lock, LockedDocument, LockedPackage, LockedRepository
    from oic.stage import Stage
    from oic.stages import metadata
    from oic.stages.download import Slice
    from oic.values import Digest


def run(stage: Stage[Slice]) -> str:
    """Download what is missing."""
    lock = stage.read(LockFile).lock
    store = Store(stage.cache / "store")
    packages = {package.sha256: package for packages in lock.sets.values() for package in packages}
    if made := [package for package in packages.values() if is_made(package.url)]:
        _expect_collected(made, stage)
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
    download_packages(signed_by, store, open_fetcher, progress_bar)
    done = download_packages(wanted, store, open_fetcher, progress_bar)
    indexes = _indexes(lock, store)
    present = _present(stage, stage.slice.kept, lock, store) if stage.slice.kept else {}
    indexes |= {document.sha256 for documents in present.values() for document in documents}
    there = sorted(stage.artefact(store.path(digest)) for digest in {*packages, *keys, *indexes})
    stage.write(Downloaded(blobs=tuple(there), present=present))
    return f"{done.fetched} packages fetched ({done.bytes / 1e6:.1f} MB), {done.reused} were there"


def _expect_collected(packages: Sequence[LockedPackage], stage: Stage[Slice]) -> None:
    """Refuse a package that is none of those that the recipe's package files hold: nobody can fetch it."""
    found = stage.read(Collected).repositories if Collected in stage.reads else {}
    there = {one.sha256 for entry in found.values() for one in entry.packages}
    for package in packages:
        if package.sha256 not in there:
            message = (
                f"expected {package.name} {package.version} of sha256 {package.sha256}, as the lock has it, among "
            )
            hint = "doit update image=…, or doit lock image=…, takes the files that are there now"
            raise FetchError(
                f"{message}the package files of the recipe, found none", where=package.repository, hint=hint
            )


def _present(
    stage: Stage[Slice], part: metadata.Slice, lock: Lock, store: Store
) -> dict[str, tuple[LockedDocument, ...]]:
    """Return the documents of the present index of each repository whose locked index is missing or unsigned."""
    provider = provider_of(part.provider)
    wanted = {entry.name for entry in lock.repositories if not entry.trusted and _is_lost(entry, lock, store)}
    found: dict[str, tuple[LockedDocument, ...]] = {}
    previous = Previous(known=known_in(stage.directory))
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
    """Download the available documents of the lock's signed indexes; return those that are in the store."""
    documents = [document for found in lock.indexes.values() for document in found]
    missing = [entry for entry in documents if not store.has(entry.sha256)]
    for entry in missing:
        wanted = DownloadItem(digest=entry.sha256, size=entry.size, urls=(entry.url,), label=entry.name)
        with contextlib.suppress(FetchError, TrustError):  # the mirror has removed or changed it
            download_packages([wanted], store, open_fetcher, progress_bar)
    return {entry.sha256 for entry in documents if store.has(entry.sha256)}
