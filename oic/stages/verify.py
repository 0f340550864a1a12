"""verify: a verdict on each package of both sets; nothing of a package is used before this has passed.

What is unsigned, by the recipe's own word, is said aloud each time, and recorded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from oic.chroot import toolbox
from oic.ospackage.lock import read_lock
from oic.progress import note
from oic.provider import provider_of
from oic.store import Store

if TYPE_CHECKING:
    from oic.ospackage.lock import Lock, LockedPackage
    from oic.provider.protocol import Provider, Verdict
    from oic.stage import Stage

_NAMED = 8
"""How many unsigned packages are named aloud; the hand-over and the manifest name them all."""


def run(stage: Stage) -> str:
    """Check every package."""
    lock = read_lock(stage.read("lock.json"))
    provider = provider_of(stage.slice["provider"])
    store = Store(stage.cache / "store")
    with toolbox.temporary_files_in(stage.path("work/verify")):
        verdicts = _verdicts(lock, provider, store)
    unsigned = {
        name: sorted(package for package, verdict in found.items() if not verdict.signed)
        for name, found in verdicts.items()
    }
    words = {name: {package: entry.words for package, entry in found.items()} for name, found in verdicts.items()}
    stage.write({"verdicts": words, "unsigned": unsigned})
    loose = sorted({package for packages in unsigned.values() for package in packages})
    if loose:
        named = ", ".join(loose[:_NAMED]) + (" …" if len(loose) > _NAMED else "")
        note(f"{len(loose)} packages nobody signed, by [trusted=yes] of the recipe: {named}")
    return f"{sum(map(len, verdicts.values()))} packages, all good{f', {len(loose)} unsigned' if loose else ''}"


def _verdicts(lock: Lock, provider: Provider, store: Store) -> dict[str, dict[str, Verdict]]:
    """Return the verdicts by set and name; a package that is in two sets, as most tools are, is looked at once."""
    known: dict[tuple[object, ...], Verdict] = {}
    for _, packages in sorted(lock.sets.items()):
        new = [package for package in packages if _identity(package) not in known]
        found = provider.verify(lock, new, store)
        known |= {_identity(package): found[package.name] for package in new}
    return {
        name: {package.name: known[_identity(package)] for package in packages}
        for name, packages in sorted(lock.sets.items())
    }


def _identity(package: LockedPackage) -> tuple[object, ...]:
    """Return all that a verdict is on: what a set wants a package for is not."""
    facts = (package.name, package.version, package.architecture, package.repository)
    return (*facts, package.location, package.url, package.size, package.sha256)
