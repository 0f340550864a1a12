"""Describes what an update has changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oic.ospackage.origin import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from oic.ospackage.lock import Lock, LockedPackage
    from oic.ospackage.origin import Known


def new_keys(old: Known, new: Known) -> Iterator[str]:
    """Yield a line for each URL that serves other keys than before."""
    for name, entry in sorted(new.items()):
        for url, found in entry.keys.items():
            before = old.get(name, UNKNOWN).keys.get(url, ())
            if set(before) != set(found):
                yield f"{name}: the keys of {url}: {_named(before)} -> {_named(found)}"


def differences(old: Lock | None, new: Lock) -> Iterator[str]:
    """Yield a line for each changed package and signer; without an old lock, only the number of packages."""
    if old is None:
        counts = (f"{len(entry)} for the {name}" for name, entry in new.sets.items())
        yield f"solved for the first time: {', '.join(counts)}"
        return
    signers = {entry.name: entry.signers for entry in old.repositories}
    for entry in new.repositories:
        if (known := signers.get(entry.name, entry.signers)) != entry.signers:
            yield f"{entry.name}: signed by {_named(known)} -> {_named(entry.signers)}"
    count = 0
    for name in sorted(new.sets):
        before = {package.name: package for package in old.sets.get(name, ())}
        after = {package.name: package for package in new.sets[name]}
        for package in sorted({*before, *after}):
            if change := _change(before.get(package), after.get(package)):
                count += 1
                yield f"{name}: {package} {change}"
    yield f"{count} packages changed" if count else "no package changed"


def _change(old: LockedPackage | None, new: LockedPackage | None) -> str:
    """Return how a package changes; empty when it is the same file."""
    if not old or not new or old.version != new.version:
        return f"{old.version if old else '(new)'} -> {new.version if new else '(gone)'}"
    if old.sha256 == new.sha256:
        return ""
    elsewhere = f", of {new.repository} instead of {old.repository}" if new.repository != old.repository else ""
    return f"{new.version} is another file than before{elsewhere}"


def _named(signers: Sequence[str]) -> str:
    return ", ".join(signers) or "nobody"
