"""A lock held against its recipe: it may be stricter, never looser.

* A repository of the lock is one of the recipe's, of its suite and components, and signed unless the recipe says
  ``[trusted=yes]`` of it.
* Its metadata are signed unless the recipe or the distribution says that nobody signs them.
* Its URL is the recipe's. Only where that is this host's own mirror, or one of a mirror list, another host's lock has
  another one: then nothing but signatures counts.
* A set that is to come of certain repositories has packages of no other: the tools are the distribution's own.
* Its keys are the recipe's: by their fingerprints, or else by the URL the recipe names.
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

_HINT = "doit lock image=… makes it anew; or the recipe is to say so"


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
    """Raise TrustError with a line for each repository that a set of the lock may not be taken from."""
    problems = []
    for name, asked in sorted(request.sets.items()):
        allowed = asked.repositories
        if allowed is UNSET:
            continue
        strange = {package.repository: package.name for package in lock.sets.get(name, ())}
        problems += [
            f"{name}: expected packages of {', '.join(allowed)} alone, found {package} of {repository}"
            for repository, package in sorted(strange.items())
            if repository not in allowed
        ]
    if problems:
        raise TrustError("\n".join(problems), where=where, hint=_HINT)


def is_elsewhere(locked: LockedRepository, repository: Repository) -> bool:
    """Tell whether the lock has another URL of a repository than the recipe."""
    return locked.url.rstrip("/") != repository.url.rstrip("/")


def demanded_keys(
    locked: LockedRepository, repository: Repository, known: Mapping[str, Sequence[str]]
) -> tuple[LockedKey, ...]:
    """Return the keys of a repository that came from URLs, each with the fingerprints that count by recipe and lock.

    `known` are those that are remembered by URL, for a lock that has none.
    """
    return tuple(
        replace(key, fingerprints=key.fingerprints or own.fingerprints or tuple(known.get(key.url, ())))
        for key in locked.keys
        for own in [_own(key, repository)]
        if own and not own.path
    )


def _looser(locked: LockedRepository, repository: Repository) -> Iterator[str]:
    if locked.trusted and not repository.trusted:
        yield "expected a signed repository, as the recipe has it, found it trusted unsigned"
    if is_elsewhere(locked, repository):
        anywhere = (repository.of_host or repository.mirror_list) and not repository.trusted
        here = (repository.mirror_list or repository.url).startswith("file:")
        if not anywhere or (locked.url.startswith("file:") and not here):
            yield f"expected it at {repository.url}, as the recipe has it, found it at {locked.url}"
    if not (repository.signed_metadata or repository.trusted or is_safe_way(locked.url)):
        yield f"expected it by https, as its metadata are not signed, found it at {locked.url}"
    if locked.suite != repository.suite:
        yield f"expected the suite {repository.suite!r}, found {locked.suite!r}"
    if more := sorted(set(locked.components) - set(repository.components)):
        yield f"expected no component but {', '.join(repository.components)}, found {', '.join(more)}"
    for key in locked.keys:
        if _own(key, repository) is None:
            found = f"{key.url} ({', '.join(key.fingerprints)})" if key.fingerprints else key.url
            yield f"expected the keys of the recipe, found {found}"
    if not repository.trusted:
        yield from _strange_signers(locked, repository)


def _strange_signers(locked: LockedRepository, repository: Repository) -> Iterator[str]:
    if not locked.signers and repository.signed_metadata:
        yield "expected who signed its index, found nobody"
    pinned = {one for key in repository.keys for one in key.fingerprints}
    if all(key.fingerprints for key in repository.keys) and (strange := sorted(set(locked.signers) - pinned)):
        yield f"expected it signed by {', '.join(sorted(pinned))}, found {', '.join(strange)}"


def _own(key: LockedKey, repository: Repository) -> Key | None:
    """Return the recipe's key that a key of the lock is."""
    for own in repository.keys:
        within = set(key.fingerprints) <= set(own.fingerprints)
        if own.fingerprints and key.fingerprints and within:
            return own
        if own.url == key.url and (within or not own.fingerprints):
            return own
    return None
