"""verify: a verdict on each package of both sets; nothing of a package is used before this has passed.

What is unsigned, by the recipe's own word, is said aloud each time, and recorded.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from oic.ospackage.lock import read_lock
from oic.provider import provider_of
from oic.store import Store

if TYPE_CHECKING:
    from oic.stage import Stage

_NAMED = 8
"""How many unsigned packages are named aloud; the hand-over and the manifest name them all."""


def run(stage: Stage) -> str:
    """Check every package."""
    lock = read_lock(stage.read("lock.json"))
    provider = provider_of(stage.slice["provider"])
    store = Store(stage.cache / "store")
    verdicts = {name: provider.verify(lock, packages, store) for name, packages in sorted(lock.sets.items())}
    unsigned = {
        name: sorted(package for package, verdict in found.items() if not verdict.signed)
        for name, found in verdicts.items()
    }
    words = {name: {package: entry.words for package, entry in found.items()} for name, found in verdicts.items()}
    stage.write({"verdicts": words, "unsigned": unsigned})
    loose = sorted({package for packages in unsigned.values() for package in packages})
    if loose:
        named = ", ".join(loose[:_NAMED]) + (" …" if len(loose) > _NAMED else "")
        sys.stderr.write(f"note: {len(loose)} packages nobody signed, by [trusted=yes] of the recipe: {named}\n")
    return f"{sum(map(len, verdicts.values()))} packages, all good{f', {len(loose)} unsigned' if loose else ''}"
