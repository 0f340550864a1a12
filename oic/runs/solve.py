"""Runs the stage `oic.stages.solve`."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from msgspec import UNSET

from oic.config.lines import with_lines
from oic.config.whole import inherited_packages
from oic.errors import OicError, SolveError, TrustError
from oic.handover.packages import Index, LockFile
from oic.ospackage.demands import check_demands, check_sets
from oic.ospackage.lock import FORMAT, AskedSet, Lock, Request, parse_json, read_lock
from oic.ospackage.origin import UNKNOWN, known_of_lock
from oic.ospackage.series import in_series
from oic.ospackage.store import Store
from oic.progress import note
from oic.provider import provider_of
from oic.provider.keys import NEW_KEYS
from oic.runs.metadata import first_uses, known_in
from oic.values import digest_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from oic.config.repository import Repository
    from oic.stage import Stage
    from oic.stages.solve import Slice


_HINT = "doit lock image=… writes a new one; or delete it"


_NOTHING = AskedSet(names=(), essential=False)


def run(stage: Stage[Slice]) -> str:
    """Write the lock."""
    lock = _kept_lock(stage, stage.lock_file) if stage.lock_file else solved(stage)
    stage.write(LockFile(lock=lock))
    for line in _excluded_all_the_same(lock, stage.slice.excluded):
        note(line)
    if stage.slice.ignored_series:
        note(_ignored_series(lock, stage.slice))
    sizes = [f"{len(packages)} packages for the {name}" for name, packages in sorted(lock.sets.items())]
    return ", ".join(sizes) + (f", as {stage.lock_file.name} says" if stage.lock_file else "")


def solved(stage: Stage[Slice]) -> Lock:
    """Return the solution of the request with the present index; raises OicError when the index is damaged."""
    part, store, index = stage.slice, Store(stage.cache / "store"), stage.read(Index)
    provider = provider_of(part.provider)
    for warning in provider.metadata_warnings(index, datetime.now(UTC)):
        note(warning)
    try:
        lock = provider.solve(index, part.request, store)
    except OicError as error:
        if not (error.where or "").startswith(str(store.root)):
            hint = (
                error.hint
                or _exclusion(error.message, stage.recipe)
                or f"the repositories are as last read: doit update image={stage.recipe.name} reads anew"
            )
            raise type(error)(with_lines(error.message, stage.recipe), where=error.where, hint=hint) from error
        # It was damaged after the check of the metadata stage; the store has removed it, so the next build notices.
        hint = "the stored metadata is lost or damaged: run doit update image=…"
        raise type(error)(error.message, where=error.where, hint=hint) from error
    if not lock.sets["image"]:
        raise SolveError("expected packages for the image, found none", hint="name them in systemConfig.packages")
    return lock


def _exclusion(message: str, recipe: Path) -> str:
    """Return a hint that names the packages of a conflict that the recipe has from elsewhere, or nothing."""
    words = set(re.findall(r"[A-Za-z0-9][A-Za-z0-9+.-]*[A-Za-z0-9+]", message))
    if "conflict" not in message:
        return ""
    found = [name for name in inherited_packages(recipe) if name in words]
    if not found:
        return ""
    named = ", ".join(found)
    return f"{named}: from the defaults or a parent; systemConfig.excludePackages: [{named}] leaves it out"


def _excluded_all_the_same(lock: Lock, excluded: Sequence[str]) -> Iterator[str]:
    """Yield a line for each package that the recipe does not want and another package needs."""
    from oic.ospackage.graph import why  # noqa: PLC0415 - networkx is slow to import, and mostly nothing is excluded

    names = {package.name for package in lock.sets["image"]}
    for name in excluded:
        if name in names:
            way = " ".join(why(lock.sets["image"], name)[0])
            yield f"excludePackages: {name} is in the image all the same: {way}"


def _ignored_series(lock: Lock, part: Slice) -> str:
    """Return a line that says which kernel there is although the recipe names a series."""
    kernels = [one for one in lock.sets["image"] if set(one.requested) & set(part.kernels)]
    said = [
        f"{one.name} {one.version} {'is of' if in_series(one.version, part.ignored_series) else 'is not of'} it"
        for one in kernels
    ]
    return f"kernel.version {part.ignored_series}, which has no effect here: {', '.join(said)}"


def _kept_lock(stage: Stage[Slice], file: Path) -> Lock:
    """Return the lock beside the recipe; raises OicError when it does not satisfy the recipe or is less strict."""
    part = stage.slice
    lock = read_kept(file, part.provider)
    if lock.request != digest_of(part.request):
        changes = "; ".join(_changes(lock.asked, part.request))
        raise SolveError(f"the lock does not answer its recipe any more: {changes}", where=str(file), hint=_HINT)
    repositories = part.repositories
    check_demands(lock, repositories, str(file))
    check_sets(lock, part.request, str(file))
    _check_known(lock, repositories, stage.directory, file)
    return lock


def _check_known(lock: Lock, repositories: Sequence[Repository], directory: Path, file: Path) -> None:
    """Refuse keys that differ from those known for their URL; note keys that only the lock names."""
    vouched = {key.url for entry in repositories for key in entry.keys if key.fingerprints or key.path}
    known, locked = known_in(directory), known_of_lock(lock)
    for name, entry in locked.items():
        for url, found in entry.keys.items():
            before = known.get(name, UNKNOWN).keys.get(url, found)
            if url not in vouched and (strange := sorted(set(found) - set(before))):
                expected = ", ".join(before)
                message = f"{name}: expected the keys known from last time, {expected}, found {', '.join(strange)}"
                raise TrustError(message, where=str(file), hint=NEW_KEYS)
    for line in first_uses(locked, known, vouched):
        note(f"{line}, as {file.name} says")


def read_kept(file: Path, provider: str) -> Lock:
    """Read a lock that the user keeps, and may have edited or merged; raises SolveError when it is invalid."""
    try:
        data = parse_json(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SolveError(f"expected a lock, found what cannot be read: {error}", where=str(file), hint=_HINT) from error
    try:
        lock = read_lock(data)
    except SolveError as error:
        raise SolveError(error.message, where=str(file), hint=_HINT) from error
    if problem := _oddity(lock, provider, older=data["format"] != FORMAT):
        raise SolveError(problem, where=str(file), hint=_HINT)
    if data["format"] != FORMAT:
        note(f"{file.name} has an older format: doit lock image=… writes a new one")
    return lock


def _oddity(lock: Lock, provider: str, *, older: bool) -> str:
    """Return what is invalid for the package family, or an empty string."""
    is_package = provider_of(provider).is_package
    for name, packages in lock.sets.items():
        for package in packages:
            if not is_package(package):
                words = ascii(f"{package.name} {package.version} {package.architecture}")[:120]
                return f"expected name, version and architecture of a package in {name}, found {words}"
    loose = [key.url for entry in lock.repositories for key in entry.keys if not key.fingerprints]
    return "" if older or not loose else f"expected the fingerprints of the key {loose[0]}, found none"


def _changes(old: Request, new: Request) -> list[str]:
    words = (
        ("architecture", old.architecture, new.architecture),
        ("recommends", old.recommends, new.recommends),
        ("repositories", old.repositories or None, new.repositories or None),
    )
    said = [f"{key} was {before!r}, is {after!r}" for key, before, after in words if before != after]
    for name in sorted({*old.sets, *new.sets}):
        was, is_ = (one.sets.get(name, _NOTHING) for one in (old, new))
        if was.repositories != is_.repositories:
            said.append(f"the {name} came of {_named(was)}, now of {_named(is_)}")
        had, has = set(was.names), set(is_.names)
        said += [f"{entry} was added to the {name}" for entry in sorted(has - had)]
        said += [f"{entry} was removed from the {name}" for entry in sorted(had - has)]
    return said or ["its request has another digest"]


def _named(asked: AskedSet) -> str:
    return "every repository" if asked.repositories is UNSET else ", ".join(asked.repositories)
