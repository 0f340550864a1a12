"""verify: a verdict on each package of both sets; nothing of a package is used before this has passed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oic.ospackage.lock import read_lock
from oic.provider import provider_of
from oic.store import Store

if TYPE_CHECKING:
    from oic.stage import Stage


def run(stage: Stage) -> str:
    """Check every package."""
    lock = read_lock(stage.read("lock.json"))
    provider = provider_of(stage.slice["provider"])
    store = Store(stage.cache / "store")
    verdicts = {name: provider.verify(lock, packages, store) for name, packages in sorted(lock.sets.items())}
    stage.write({"verdicts": verdicts})
    return f"{sum(map(len, verdicts.values()))} packages, all good"
