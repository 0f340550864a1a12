"""The lock: two complete, ordered package sets and why each package is in.

``lock.json`` has the same content, whoever solved it; what is in it decides the bits of the image.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from oic.values import Bytes, Digest

FORMAT = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """An edge of the dependency graph: `relation` in the family's words, its `kind`, and the `package` chosen."""

    kind: str
    relation: str
    package: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedPackage:
    """One package of a set.

    `location` is its path below the repository's base URL; `url` the whole. `essential` marks the family's bootstrap
    set. `requested` is the recipe's words that ask for it directly (empty: only dependencies do).
    """

    name: str
    version: str
    architecture: str
    repository: str
    location: str
    url: str
    size: Bytes
    sha256: Digest
    essential: bool
    requested: tuple[str, ...]
    requires: tuple[Requirement, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedKey:
    """A key file that packages may be signed by; its bytes are in the store, or come again from `url`."""

    url: str
    sha256: Digest
    size: Bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedRepository:
    """Where packages came from: the verified metadata's facts and the fingerprints of who signed it.

    `keys` is of a family whose packages are signed one by one. `trusted`: unsigned, and the recipe says so.
    """

    name: str
    url: str
    suite: str
    components: tuple[str, ...]
    signers: tuple[str, ...]
    keys: tuple[LockedKey, ...]
    trusted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """Package sets by name (``image``, ``tools``), each in install order: what a package needs comes before it.

    `request` is the digest of the part of the config the lock answers, and `asked` that part itself, so that a stale
    lock can say what changed.
    """

    request: Digest
    asked: dict[str, Any]
    repositories: tuple[LockedRepository, ...]
    sets: dict[str, tuple[LockedPackage, ...]]


def lock_from_dict(data: dict[str, Any]) -> Lock:
    """Return the `Lock` of a parsed ``lock.json``; raises KeyError or TypeError on another shape."""
    return Lock(
        request=data["request"],
        asked=data["asked"],
        repositories=tuple(_repository(entry) for entry in data["repositories"]),
        sets={name: tuple(_package(entry) for entry in entries) for name, entries in data["sets"].items()},
    )


def _repository(entry: dict[str, Any]) -> LockedRepository:
    lists = {name: tuple(entry[name]) for name in ("components", "signers")}
    return LockedRepository(**{**entry, **lists, "keys": tuple(LockedKey(**key) for key in entry["keys"])})


def _package(entry: dict[str, Any]) -> LockedPackage:
    requires = tuple(Requirement(**requirement) for requirement in entry["requires"])
    return LockedPackage(**{**entry, "requested": tuple(entry["requested"]), "requires": requires})


def read_lock(data: dict[str, Any]) -> Lock:
    """Return the `Lock` of a ``lock.json`` hand-over, its format number beside it."""
    return lock_from_dict({key: value for key, value in data.items() if key != "format"})
