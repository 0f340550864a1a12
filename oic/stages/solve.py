"""solve: the complete package sets that answer the recipe, or the lock the user keeps, into ``lock.json``."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from oic.errors import OicError, SolveError
from oic.files import digest_of, read_json, to_plain
from oic.ospackage.lock import FORMAT, Lock, read_lock
from oic.progress import note
from oic.provider import provider_of
from oic.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from oic.ospackage.lock import LockedKey, LockedPackage
    from oic.stage import Stage

_HINT = "doit lock image=… makes it anew; or delete it"


def run(stage: Stage) -> str:
    """Write the lock."""
    lock = kept_lock(stage.lock_file, stage.slice["request"]) if stage.lock_file else solved(stage)
    stage.write({"format": FORMAT, **to_plain(lock)})
    sizes = [f"{len(packages)} packages for the {name}" for name, packages in sorted(lock.sets.items())]
    return ", ".join(sizes) + (f", as {stage.lock_file.name} says" if stage.lock_file else "")


def solved(stage: Stage) -> Lock:
    """Return the solver's answer to the stage's request on the index it has; raises OicError when that is lost."""
    part, store, index = stage.slice, Store(stage.cache / "store"), stage.read("index.json")
    provider = provider_of(part["provider"])
    for warning in provider.metadata_warnings(index, datetime.now(UTC)):
        note(warning)
    try:
        lock = provider.solve(index, part["request"], store)
    except OicError as error:
        if not (error.where or "").startswith(str(store.root)):
            hint = error.hint or f"the repositories are as last read: doit update image={stage.recipe.name} reads anew"
            raise type(error)(error.message, where=error.where, hint=hint) from error
        # Damaged since the metadata stage was judged; the store has removed it, so the next look finds it gone.
        hint = "the stored metadata is lost or damaged: run doit update image=…"
        raise type(error)(error.message, where=error.where, hint=hint) from error
    if not lock.sets["image"]:
        raise SolveError("expected packages for the image, found none", hint="name them in systemConfig.packages")
    return lock


def kept_lock(file: Path, request: dict[str, Any]) -> Lock:
    """Return the lock beside the recipe; raises SolveError when it does not answer the recipe any more."""
    lock = read_kept(file)
    if lock.request != digest_of(request):
        changes = "; ".join(_changes(lock.asked, request))
        raise SolveError(f"the lock does not answer its recipe any more: {changes}", where=str(file), hint=_HINT)
    return lock


def read_kept(file: Path) -> Lock:
    """Return a lock that the user keeps, and may have edited or merged; raises SolveError when it is none."""
    try:
        data = read_json(file)
    except (OSError, ValueError) as error:
        raise SolveError(f"expected a lock, found what cannot be read: {error}", where=str(file), hint=_HINT) from error
    found = data.get("format") if isinstance(data, dict) else None
    if found != FORMAT:
        raise SolveError(f"expected a lock of format {FORMAT}, found {found}", where=str(file), hint=_HINT)
    try:
        lock = read_lock(data)
        odd = next(_odd(lock), None)
    except (KeyError, TypeError, AttributeError) as error:
        raise SolveError("expected a lock, found JSON of another shape", where=str(file), hint=_HINT) from error
    if odd is not None:
        raise SolveError(f"expected a locked {odd} with odd fields", where=str(file), hint=_HINT)
    for name, packages in lock.sets.items():
        counts = Counter(package.name for package in packages)
        if twice := [package for package, count in counts.items() if count > 1]:
            found = ", ".join(sorted(twice))
            raise SolveError(f"expected a package once in {name}, found {found} again", where=str(file), hint=_HINT)
    return lock


def _odd(lock: Lock) -> Iterator[str]:
    """Yield a word for each entry that the program never wrote so."""
    for repository in lock.repositories:
        if not all(_is_file(key) for key in repository.keys):
            yield f"repository, found {repository.name!r}"
    for package in (package for packages in lock.sets.values() for package in packages):
        words = (package.name, package.version, package.architecture, package.repository, package.location)
        if not all(isinstance(word, str) for word in words) or not _is_file(package):
            yield f"package, found {package.name!r}"


def _is_file(entry: LockedPackage | LockedKey) -> bool:
    size = entry.size
    known = isinstance(entry.url, str) and re.fullmatch("[0-9a-f]{64}", entry.sha256) is not None
    return known and isinstance(size, int) and size >= 0


def _changes(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    said = [
        f"{key} was {old.get(key)!r}, is {new.get(key)!r}"
        for key in sorted({*old, *new} - {"sets"})
        if old.get(key) != new.get(key)
    ]
    for name in sorted({*old.get("sets", {}), *new.get("sets", {})}):
        before = set(old.get("sets", {}).get(name, {}).get("names", []))
        after = set(new.get("sets", {}).get(name, {}).get("names", []))
        said += [f"{entry} was added to the {name}" for entry in sorted(after - before)]
        said += [f"{entry} was removed from the {name}" for entry in sorted(before - after)]
    return said or ["its request has another digest"]
