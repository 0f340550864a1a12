"""download: every package of the lock, and every key file, into the store; a name there means checked content."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oic.net import HttpFetcher
from oic.ospackage.download import Wanted, download_packages
from oic.ospackage.lock import read_lock
from oic.progress import progress
from oic.store import Store

if TYPE_CHECKING:
    from oic.stage import Stage


def run(stage: Stage) -> str:
    """Fetch what is missing."""
    lock = read_lock(stage.read("lock.json"))
    store = Store(stage.cache / "store")
    packages = {package.sha256: package for packages in lock.sets.values() for package in packages}
    wanted = [
        Wanted(digest=package.sha256, size=package.size, urls=(package.url,), label=f"{package.name} {package.version}")
        for package in packages.values()
    ]
    keys = {key.sha256: (entry.name, key) for entry in lock.repositories for key in entry.keys}
    signed_by = [
        Wanted(digest=key.sha256, size=key.size, urls=(key.url,), label=f"key of {name}") for name, key in keys.values()
    ]
    download_packages(signed_by, store, HttpFetcher, progress)
    done = download_packages(wanted, store, HttpFetcher, progress)
    stage.write({"artefacts": sorted(stage.artefact(store.path(digest)) for digest in {**packages, **keys})})
    return f"{done.fetched} packages fetched ({done.bytes / 1e6:.1f} MB), {done.reused} were there"
