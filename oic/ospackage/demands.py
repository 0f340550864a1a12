"""Compares a lock with its recipe: the lock may be stricter, never looser.

* Each repository of the lock is in the recipe, with the same suite and no other components. It is signed, unless the
  recipe has ``[trusted=yes]`` for it.
* Its metadata are signed, unless the recipe or the distribution's data say that they are not.
* Its URL is that of the recipe. If the recipe uses this host's own mirror or a mirror list, another host's lock has
  another URL; then only signatures count.
* If a set is restricted to some repositories, it has packages from no others: the tools come only from the
  distribution's own repositories.
* Its keys are those of the recipe, by fingerprint, or else by the URL in the recipe.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import UNSET
from msgspec.structs import replace

from oic.config.repository import is_safe_way
from oic.errors import TrustError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from oic.config.repository import Key, Repository
    from oic.ospackage.lock import Lock, LockedKey, LockedRepository, Request

_HINT = "doit lock image=… writes a new one; or allow this in the recipe"


def check_demands(lock: Lock, repositories: Sequence[Repository], where: str) -> None:
    """Raise TrustError with a line for each way in which a lock is looser than its recipe."""
    asked = {entry.name: entry for entry in repositories}
    problems = []
    for locked in lock.repositories:
        repository = asked.get(locked.name)
        if repository is None:
            problems.append(f"expected the repositories of the recipe, found {locked.name!r}")
        else:
            problems += [f"{locked.name}: {problem}" for problem in _looser(locked, repository)]
    if problems:
        raise TrustError("\n".join(problems), where=where, hint=_HINT)


def check_sets(lock: Lock, request: Request, where: str) -> None:
    """Raise TrustError with a line for each repository whose packages a set of the lock must not contain."""
    problems = []
    for name, asked in sorted(request.sets.items()):
        allowed = asked.repositories
        if allowed is UNSET:
            continue
        strange = {package.repository: package.name for package in lock.sets.get(name, ())}
        problems += [
            f"{name}: expected packages of {', '.join(allowed)} only, found {package} of {repository}"
            for repository, package in sorted(strange.items())
            if repository not in allowed
        ]
    if problems:
        raise TrustError("\n".join(problems), where=where, hint=_HINT)


def is_elsewhere(locked: LockedRepository, repository: Repository) -> bool:
    """Tell whether a repository has another URL in the lock than in the recipe."""
    return locked.url.rstrip("/") != repository.url.rstrip("/")


def demanded_keys(
    locked: LockedRepository, repository: Repository, known: Mapping[str, Sequence[str]]
) -> tuple[LockedKey, ...]:
    """Return the keys of a repository that came from URLs, each with its accepted fingerprints.

    These are in the lock or the recipe; for a lock without any, `known` has the remembered ones by URL.
    """
    return tuple(
        replace(key, fingerprints=key.fingerprints or own.fingerprints or tuple(known.get(key.url, ())))
        for key in locked.keys
        for own in [_own(key, repository)]
        if own and not own.path
    )


def _looser(locked: LockedRepository, repository: Repository) -> Iterator[str]:
    if locked.trusted and not repository.trusted:
        yield "expected a signed repository, as in the recipe, found it trusted unsigned"
    if is_elsewhere(locked, repository):
        anywhere = (repository.of_host or repository.mirror_list) and not repository.trusted
        here = (repository.mirror_list or repository.url).startswith("file:")
        if not anywhere or (locked.url.startswith("file:") and not here):
            yield f"expected it at {repository.url}, as in the recipe, found it at {locked.url}"
    if not (repository.signed_metadata or repository.trusted or is_safe_way(locked.url)):
        yield f"expected an https URL, as its metadata are not signed, found {locked.url}"
    if locked.suite != repository.suite:
        yield f"expected the suite {repository.suite!r}, found {locked.suite!r}"
    if more := sorted(set(locked.components) - set(repository.components)):
        yield f"expected only the components {', '.join(repository.components)}, found {', '.join(more)}"
    for key in locked.keys:
        if _own(key, repository) is None:
            found = f"{key.url} ({', '.join(key.fingerprints)})" if key.fingerprints else key.url
            yield f"expected the keys of the recipe, found {found}"
    if not repository.trusted:
        yield from _strange_signers(locked, repository)


def _strange_signers(locked: LockedRepository, repository: Repository) -> Iterator[str]:
    if not locked.signers and repository.signed_metadata:
        yield "expected the signers of its index, found none"
    pinned = {one for key in repository.keys for one in key.fingerprints}
    if all(key.fingerprints for key in repository.keys) and (strange := sorted(set(locked.signers) - pinned)):
        yield f"expected it signed by {', '.join(sorted(pinned))}, found {', '.join(strange)}"


def _own(key: LockedKey, repository: Repository) -> Key | None:
    """Return the key of the recipe that corresponds to a key of the lock."""
    for own in repository.keys:
        within = set(key.fingerprints) <= set(own.fingerprints)
        if own.fingerprints and key.fingerprints and within:
            return own
        if own.url == key.url and (within or not own.fingerprints):
            return own
    return None
