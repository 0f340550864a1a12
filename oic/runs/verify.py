"""Runs the stage `oic.stages.verify`.

    lock ─> no looser than the recipe ─> the recipe's keys ─> its index: signed, lists each package ─> each package

* A lock that the user keeps is checked against its signed indexes, if they are available, and otherwise, if packages
  are signed, against the present index. For packages that neither lists, the lock is the only evidence; the verdict and
  the output of the build say so. An unsigned index can contradict a lock but proves nothing.
* A lock that this build solved was checked against the signed index by ``metadata`` and ``solve``.
* Unsigned packages, which the recipe must accept, are reported in every build and recorded.

There are two hand-overs: ``verified.json`` allows the use of the packages and does not depend on the evidence;
``trust.json`` records the evidence for the manifest.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from oic.chroot import toolbox
from oic.config.repository import Repository, is_made
from oic.errors import TrustError
from oic.handover.collected import Collected
from oic.handover.packages import Downloaded, LockFile, Trust, Verified
from oic.ospackage.demands import check_demands, demanded_keys, is_elsewhere
from oic.ospackage.lock import LockedDocument, LockedKey
from oic.ospackage.origin import UNKNOWN
from oic.ospackage.store import Store
from oic.progress import doing, note
from oic.provider import provider_of
from oic.provider.keys import locked_keyring, read_file
from oic.provider.protocol import Verdict
from oic.runs.metadata import known_in
from oic.values import Bytes

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from oic.handover.collected import CollectedPackage
    from oic.ospackage.lock import Lock, LockedPackage, LockedRepository
    from oic.ospackage.origin import Known
    from oic.provider.protocol import Provider
    from oic.stage import Stage
    from oic.stages.verify import Slice
    from oic.values import Digest

    Indexes = Mapping[str, tuple[LockedDocument, ...]]


_NAMED = 8
"""How many unsigned packages the output names; the hand-over and the manifest name all."""


def run(stage: Stage[Slice]) -> str:
    """Check every package."""
    part, store = stage.slice, Store(stage.cache / "store")
    provider, kept = provider_of(part.provider), part.kept
    repositories = {entry.name: entry for entry in part.repositories}
    lock = stage.read(LockFile).lock
    check_demands(lock, part.repositories, kept or str(stage.path("lock.json")))
    with toolbox.temporary_files_in(stage.path("work/verify")):
        lock = _as_recipe_has_it(lock, repositories, known_in(stage.directory), store)
        unproven = _unproven(lock, provider, store, kept, stage.read(Downloaded).present) if kept else {}
        for line in _unproven_notes(lock, unproven, kept):
            note(line)
        if not provider.signs_packages():
            _refuse_unproven(lock, repositories, unproven, kept)
        claimed_by: dict[str, str] = {digest: kept for digests in unproven.values() for digest in digests}
        verdicts = _verdicts(lock, provider, store, claimed_by)
        if Collected in stage.reads:
            verdicts = _with_files(verdicts, lock, stage.read(Collected))
    unsigned = {
        name: tuple(sorted(package for package, verdict in found.items() if not verdict.signed))
        for name, found in verdicts.items()
    }
    words = {name: {package: entry.words for package, entry in found.items()} for name, found in verdicts.items()}
    every = {package.sha256 for packages in lock.sets.values() for package in packages}
    nobody = sorted(entry.name for entry in lock.repositories if not entry.signers and not entry.trusted)
    stage.write(Verified(packages=tuple(sorted(every))))
    stage.write(
        Trust(
            verdicts=words,
            unsigned=unsigned,
            unsigned_metadata=tuple(nobody),
            locked_by="file" if kept else "solve",
        )
    )
    loose = {package for packages in unsigned.values() for package in packages}
    files = {package.name for packages in lock.sets.values() for package in packages if is_made(package.url)}
    for names, why in ((loose - files, "by [trusted=yes] of the recipe"), (loose & files, "of the recipe's files")):
        if names:
            named = ", ".join(sorted(names)[:_NAMED]) + (" …" if len(names) > _NAMED else "")
            note(f"{len(names)} packages nobody signed, {why}: {named}")
    for line in _remarks(verdicts):
        note(line)
    return f"{sum(map(len, verdicts.values()))} packages, all good{f', {len(loose)} unsigned' if loose else ''}"


def _with_files(
    verdicts: Mapping[str, Mapping[str, Verdict]], lock: Lock, collected: Collected
) -> dict[str, dict[str, Verdict]]:
    """Return the verdicts, those on packages of package files in words that say what vouches for the file."""
    files = {(name, one.sha256): one for name, entry in collected.repositories.items() for one in entry.packages}
    places = {(name, one.name): (one.repository, one.sha256) for name, found in lock.sets.items() for one in found}
    return {
        name: {package: _of_file(verdict, files.get(places[name, package])) for package, verdict in found.items()}
        for name, found in verdicts.items()
    }


def _of_file(verdict: Verdict, file: CollectedPackage | None) -> Verdict:
    if file is None:
        return verdict
    said = f"the recipe has the sha256 {file.origin} of" if file.vouched else "taken as it was found:"
    return Verdict(signed=False, words=f"unsigned: {said} {file.file}")


def _remarks(verdicts: Mapping[str, Mapping[str, Verdict]]) -> Iterator[str]:
    """Yield each remark once, with the number of packages that it concerns."""
    remarks = {
        (package, remark) for found in verdicts.values() for package in found for remark in found[package].remarks
    }
    for remark, count in sorted(Counter(remark for _, remark in remarks).items()):
        yield f"{count} packages were signed in time, but {remark}"


def _as_recipe_has_it(lock: Lock, repositories: Mapping[str, Repository], known: Known, store: Store) -> Lock:
    """Return the lock with only the keys of the recipe; raises TrustError when none of them signed it."""
    entries = []
    for locked in lock.repositories:
        own, before = repositories[locked.name], known.get(locked.name, UNKNOWN).keys
        keys = (*demanded_keys(locked, own, before), *_keys_of_host(own, store))
        entry = replace(locked, keys=keys, trusted=own.trusted, signers=() if own.trusted else locked.signers)
        if keys and entry.signers:
            _check_signers(entry, store)
        entries.append(entry)
    return replace(lock, repositories=tuple(entries))


def _keys_of_host(repository: Repository, store: Store) -> Iterator[LockedKey]:
    """Yield the key files of this host that the recipe names, with their present content."""
    for key in repository.keys:
        if key.path and Path(key.path).is_file():
            body = read_file(key)
            size = Bytes(len(body))
            yield LockedKey(url=key.url, sha256=store.add(body), size=size, fingerprints=key.fingerprints)


def _check_signers(repository: LockedRepository, store: Store) -> None:
    with locked_keyring(repository, store) as ring:
        if strange := sorted(set(repository.signers) - ring.fingerprints):
            expected = ", ".join(sorted(ring.fingerprints))
            message = f"expected it signed by a key of the recipe, {expected}, found {', '.join(strange)}"
            raise TrustError(message, where=repository.name, hint="doit update image=…, or doit lock image=…")


def _unproven(lock: Lock, provider: Provider, store: Store, kept: str, present: Indexes) -> dict[str, list[Digest]]:
    """Check the indexes of a kept lock; return, by repository, the packages for which the lock is the only evidence."""
    found: dict[str, list[Digest]] = {}
    for entry in lock.repositories:
        packages = {p.sha256 for packages in lock.sets.values() for p in packages if p.repository == entry.name}
        listing = None if entry.trusted else provider.check_index(lock, entry, store)
        if listing and set(listing.signers) != set(entry.signers):
            message = f"expected its index signed by {', '.join(entry.signers)}, found {', '.join(listing.signers)}"
            raise TrustError(message, where=f"{kept}: {entry.name}", hint="doit lock image=… writes a new one")
        if listing and listing.unlisted:
            index = "signed index" if entry.signers else "index, which nobody signed"
            words = min(listing.unlisted.values())
            raise TrustError(f"expected the packages of its {index}, found {words}", where=entry.name)
        if listing and entry.signers:
            continue
        if now := present.get(entry.name):
            listing = provider.check_index(replace(lock, indexes={entry.name: now}), entry, store)
            packages = set(listing.unlisted) if listing else packages
        if packages:
            found[entry.name] = sorted(packages)
    return found


def _unproven_notes(lock: Lock, unproven: Mapping[str, Sequence[Digest]], kept: str) -> Iterator[str]:
    """Yield notes about repositories for whose packages the lock is the only evidence."""
    said = {True: "the signed index of {} could not be checked", False: "nobody signed the index of {}"}
    for signed, words in said.items():
        names = [
            entry.name
            for entry in lock.repositories
            if entry.name in unproven and not entry.trusted and bool(entry.signers) is signed
        ]
        if names:
            count = sum(len(unproven[name]) for name in names)
            yield f"{words.format(', '.join(names))}: that it lists {count} packages is as {kept} says"


def _refuse_unproven(lock: Lock, repositories: Mapping[str, Repository], unproven: Collection[str], kept: str) -> None:
    """Refuse a repository at another URL than the recipe's if the lock is the only evidence for its packages."""
    for entry in lock.repositories:
        if entry.name in unproven and is_elsewhere(entry, repositories[entry.name]):
            message = (
                f"expected it at {repositories[entry.name].url}, or its signed index; found it at {entry.url} without"
            )
            raise TrustError(message, where=f"{kept}: {entry.name}", hint="target.mirror may name that URL")


def _verdicts(
    lock: Lock, provider: Provider, store: Store, claimed_by: Mapping[str, str]
) -> dict[str, dict[str, Verdict]]:
    """Return the verdicts by set and name; a package in two sets, as most tools are, is checked once."""
    known: dict[LockedPackage, Verdict] = {}
    for _, packages in sorted(lock.sets.items()):
        new = [package for package in packages if _identity(package) not in known]
        doing(f"checking {len(new)} packages")
        found = provider.verify(lock, new, store, claimed_by)
        known |= {_identity(package): found[package.name] for package in new}
    return {
        name: {package.name: known[_identity(package)] for package in packages}
        for name, packages in sorted(lock.sets.items())
    }


def _identity(package: LockedPackage) -> LockedPackage:
    """Return a package without the reasons why a set has it, which have no influence on the verdict."""
    return replace(package, essential=False, requested=(), requires=())
