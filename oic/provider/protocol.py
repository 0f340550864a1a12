"""The first seam: what a package family must be able to do. Two families exist: ``deb`` and ``rpm``.

Stages know this protocol and nothing about either family. A family is a module, ``oic.provider.<name>.family``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from oic.chroot.tree import Filled, Tree
    from oic.config.repository import Repository
    from oic.handover.packages import Index
    from oic.ospackage.fetch import Fetcher
    from oic.ospackage.lock import Lock, LockedPackage, LockedRepository, Request
    from oic.ospackage.origin import Known
    from oic.ospackage.store import Store
    from oic.provider.belongings import Belongings
    from oic.provider.documents import Answer
    from oic.provider.firstboot import FirstBoot
    from oic.values import Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Previous:
    """What last time left: its index, against replay; who signs; and the servers' answers by URL."""

    index: Index | None = None
    known: Known = field(default_factory=dict)
    answers: Mapping[str, Answer] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """The index, and the servers' answers, which change without it and are no part of the hand-over."""

    index: Index
    answers: Mapping[str, Answer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Why a package is trusted, in words; `signed` is false where only the recipe's own word says so.

    `remarks` are what a build says aloud of such packages, together.
    """

    signed: bool
    words: str
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What an index says of a lock's packages: who signed it, and which of them it does not list, in words by sha256.

    Without signers, nobody signs the repository's metadata.
    """

    signers: tuple[str, ...]
    unlisted: Mapping[Digest, str]


class Provider(Protocol):
    """One package family."""

    def read_metadata(
        self,
        repositories: Sequence[Repository],
        architecture: str,
        fetcher: Fetcher,
        store: Store,
        previous: Previous,
    ) -> Metadata:
        """Fetch and verify each repository's signed metadata; raises FetchError or TrustError."""

    def metadata_warnings(self, index: Index, now: datetime) -> list[str]:
        """Return what is to be said of an index by its age: what was solved stays solved, but not in silence."""

    def solve(self, index: Index, request: Request, store: Store) -> Lock:
        """Return the complete sets that answer `request`; raises SolveError naming every problem."""

    def is_package(self, package: LockedPackage) -> bool:
        """Tell whether name, version and architecture are such as a package of the family may have."""

    def check_index(self, lock: Lock, repository: LockedRepository, store: Store) -> Listing | None:
        """Return what the index that the lock names of a repository says of its packages.

        None where it cannot be had any more, or its signature has expired. Raises TrustError when the index is
        signed by nobody of the repository's keys.
        """

    def signs_packages(self) -> bool:
        """Tell whether each package is signed by itself: then it is what it is wherever it came from."""

    def verify(
        self,
        lock: Lock,
        packages: Sequence[LockedPackage],
        store: Store,
        said_by: Mapping[str, str] | None = None,
    ) -> dict[str, Verdict]:
        """Return the verdict on each package (by name); raises TrustError naming every bad one.

        `said_by` names, by sha256, the lock file that alone says of a package that its repository lists it.
        """

    def unpack(self, packages: Sequence[tuple[LockedPackage, Path]], root: Path) -> int:
        """Unpack packages into an empty `root`, in a namespace; run nothing; return the newest time in them."""

    def groups(self, packages: Sequence[LockedPackage]) -> list[list[LockedPackage]]:
        """Divide a set into the layers it is installed in, lowest first."""

    def install(self, packages: Sequence[tuple[LockedPackage, Path]], tree: Tree, *, may_fail: Sequence[str]) -> Filled:
        """Install packages into a mounted tree, in a namespace; return the newest time in them, and what was let fail.

        `may_fail` are words of ``scriptletsMayFail``. Raises ToolError when another script fails.
        """

    def installed_by(self, tools: str) -> str:
        """Return what besides the packages decides an installed tree; `tools` is the build environment's digest.

        Nothing, where the packages' own programs install them.
        """

    def belongings(self, packages: Sequence[tuple[LockedPackage, Path]], root: Path) -> Belongings:
        """Return whose each path of a mounted tree is, in which these packages are installed. In a namespace."""

    def leftovers(self) -> tuple[str, ...]:
        """Return globs of what installing leaves that is of this build or of this machine, not of the image."""

    def first_boot(self) -> tuple[FirstBoot, ...]:
        """Return what installing draws or tells that each machine makes of its own, at its first boot."""

    def environment(self, epoch: int) -> Mapping[str, str]:
        """Return the variables under which programs of the image's tree run."""

    def sources(self, root: Path, repositories: Sequence[LockedRepository], keys: Mapping[str, str]) -> dict[str, str]:
        """Return files (path: text) that tell the image its repositories; runs with the tree as its root.

        Only those in `keys` are told: repository name → key file in the image, empty for none. A name there that is
        none of the `repositories` is one of the distribution's that the image was not built from.
        """

    def list_command(self) -> Sequence[str]:
        """Return the command that prints the installed packages: name, version, state, separated by tabs."""
