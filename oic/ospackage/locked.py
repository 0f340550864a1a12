"""The values of a lock: two complete, ordered package sets, with the reason for each package.

``lock.json`` does not depend on the host that solved it, and determines the bits of the image. Only
`oic.ospackage.lock` reads it.
"""

from __future__ import annotations

import msgspec
from msgspec import UNSET, UnsetType

from oic.values import Bytes, Digest, Value

FORMAT = 3


class Requirement(Value):
    """An edge of the dependency graph: the `relation` as the family writes it, its `kind`, and the chosen `package`."""

    kind: str
    relation: str
    package: str


class LockedPackage(Value):
    """A package of a set.

    `location` is its path below the URL of its repository, `url` the full URL. `essential` marks the bootstrap set of
    the family. `requested` holds the entries of the recipe that ask for it; it is empty for a mere dependency.
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
    """A key file from `url`; its content is in the store, or is downloaded again.

    `fingerprints` are those of its accepted primary keys; an older lock has none and accepts all.
    """

    url: str
    sha256: Digest
    size: Bytes
    fingerprints: tuple[str, ...] = ()


class LockedDocument(Value):
    """A file of a repository's signed index at the time of the lock; `name` is the name that the family uses."""

    name: str
    url: str
    sha256: Digest
    size: Bytes


class LockedRepository(Value):
    """A repository, with facts of its verified metadata and the fingerprints of its signers.

    `keys` does not list key files of the host, because each host has its own. `trusted` means that it is unsigned and
    that the recipe accepts this.
    """

    name: str
    url: str
    suite: str
    components: tuple[str, ...]
    signers: tuple[str, ...]
    keys: tuple[LockedKey, ...]
    trusted: bool


class AskedSet(Value):
    """The request for a package set: `names` as the recipe or the distribution writes them.

    `essential`: the family's bootstrap set as well. `repositories` are all of them where it is not set.
    """

    names: tuple[str, ...]
    essential: bool
    repositories: tuple[str, ...] | UnsetType = UNSET


class Request(Value):
    """The request to the solver: the part of the config that determines a lock.

    `repositories` names those that the recipe adds. It is not set where there are none: such a request has the
    digest that it always had.
    """

    architecture: str
    recommends: bool
    sets: dict[str, AskedSet]
    repositories: str | UnsetType = UNSET


class Lock(Value):
    """Package sets by name (``image``, ``tools``), each in install order: dependencies come first.

    `asked` is the request that the lock satisfies, recorded to report what has changed, and `request` its digest.
    `indexes` holds the signed index of each repository by name; an older lock has none.
    """

    request: Digest
    asked: Request
    repositories: tuple[LockedRepository, ...]
    sets: dict[str, tuple[LockedPackage, ...]]
    indexes: dict[str, tuple[LockedDocument, ...]] = msgspec.field(default_factory=dict)
