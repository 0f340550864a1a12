"""The lock: two complete, ordered package sets and why each package is in.

``lock.json`` has the same content, whoever solved it; what is in it decides the bits of the image. It is read by
`oic.ospackage.lock` alone.
"""

from __future__ import annotations

import msgspec
from msgspec import UNSET, UnsetType

from oic.values import Bytes, Digest, Value

FORMAT = 3


class Requirement(Value):
    """An edge of the dependency graph: `relation` in the family's words, its `kind`, and the `package` chosen."""

    kind: str
    relation: str
    package: str


class LockedPackage(Value):
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


class LockedKey(Value):
    """A key file that came from `url`; its bytes are in the store, or come again from there.

    `fingerprints` are of its primary keys that count; an older lock has none and means all of them.
    """

    url: str
    sha256: Digest
    size: Bytes
    fingerprints: tuple[str, ...] = ()


class LockedDocument(Value):
    """A part of a repository's signed index, as it was when the lock was made; `name` is the family's word for it."""

    name: str
    url: str
    sha256: Digest
    size: Bytes


class LockedRepository(Value):
    """Where packages came from: the verified metadata's facts and the fingerprints of who signed it.

    `keys` has none of the builder's own files, which each host has for itself. `trusted`: unsigned, and the recipe
    says so.
    """

    name: str
    url: str
    suite: str
    components: tuple[str, ...]
    signers: tuple[str, ...]
    keys: tuple[LockedKey, ...]
    trusted: bool


class AskedSet(Value):
    """What one package set is asked to hold: `names` as the recipe or the distribution writes them.

    `essential`: the family's bootstrap set as well. `repositories` are all of them where it is not set.
    """

    names: tuple[str, ...]
    essential: bool
    repositories: tuple[str, ...] | UnsetType = UNSET


class Request(Value):
    """What the solver is asked: the part of the config that a lock answers.

    `repositories` names those that the recipe adds. It is not set where there are none: such a request has the
    digest that it always had.
    """

    architecture: str
    recommends: bool
    sets: dict[str, AskedSet]
    repositories: str | UnsetType = UNSET


class Lock(Value):
    """Package sets by name (``image``, ``tools``), each in install order: what a package needs comes before it.

    `request` is the digest of the part of the config the lock answers, and `asked` that part itself, so that a stale
    lock can say what changed. `indexes` has the signed index of each repository by its name, none in an older lock.
    """

    request: Digest
    asked: Request
    repositories: tuple[LockedRepository, ...]
    sets: dict[str, tuple[LockedPackage, ...]]
    indexes: dict[str, tuple[LockedDocument, ...]] = msgspec.field(default_factory=dict)
