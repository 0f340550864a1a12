"""download: every package of the lock, and every key file, into the store; a name there means checked content.

The signed indexes of a lock that is kept come, too, where they can still be had: a mirror moves on. What was solved in
this cache has them in the store.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from oic.errors import FetchError, TrustError
from oic.net import HttpFetcher
from oic.ospackage.download import Wanted, download_packages
from oic.ospackage.lock import read_lock
from oic.progress import progress
from oic.store import Store

if TYPE_CHECKING:
    from oic.ospackage.lock import Lock
    from oic.stage import Stage
    from oic.values import Digest


def run(stage: Stage) -> str:
    """Fetch what is missing."""
    lock = read_lock(stage.read("lock.json"))
    store = Store(stage.cache / "store")
    packages = {package.sha256: package for packages in lock.sets.values() for package in packages}
    wanted = [
        Wanted(digest=package.sha256, size=package.size, urls=(package.url,), label=f"{package.name} {package.version}")
        for package in packages.values()
    ]
    remote = {entry.name: [key for key in entry.keys if not key.url.startswith("file:")] for entry in lock.repositories}
    keys = {key.sha256: (name, key) for name, found in remote.items() for key in found}
    signed_by = [
        Wanted(digest=key.sha256, size=key.size, urls=(key.url,), label=f"key of {name}") for name, key in keys.values()
    ]
    download_packages(signed_by, store, HttpFetcher, progress)
    done = download_packages(wanted, store, HttpFetcher, progress)
    indexes = _indexes(lock, store)
    stage.write({"artefacts": sorted(stage.artefact(store.path(digest)) for digest in {*packages, *keys, *indexes})})
    return f"{done.fetched} packages fetched ({done.bytes / 1e6:.1f} MB), {done.reused} were there"


def _indexes(lock: Lock, store: Store) -> set[Digest]:
    """Return which documents of the lock's signed indexes are in the store, once those were fetched that can be had."""
    documents = [document for found in lock.indexes.values() for document in found]
    missing = [entry for entry in documents if not store.has(entry.sha256)]
    for entry in missing:
        wanted = Wanted(digest=entry.sha256, size=entry.size, urls=(entry.url,), label=entry.name)
        with contextlib.suppress(FetchError, TrustError):  # gone, or another one by now
            download_packages([wanted], store, HttpFetcher, progress)
    return {entry.sha256 for entry in documents if store.has(entry.sha256)}
