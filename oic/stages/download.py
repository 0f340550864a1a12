"""download: every package of the lock into the store; a name in the store means checked content."""

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
    done = download_packages(wanted, store, HttpFetcher, progress)
    stage.write({"artefacts": sorted(stage.artefact(store.path(digest)) for digest in packages)})
    return f"{done.fetched} packages fetched ({done.bytes / 1e6:.1f} MB), {done.reused} were there"
