"""The functions of a package family. There are two families: ``deb`` and ``rpm``.

Stages use this protocol and know neither family. Each family is a module, ``oic.provider.<name>.family``.
"""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Protocol

from msgspec import field

from oic.values import Value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from oic.chroot.tree import Filled, Tree
    from oic.config.repository import Repository
    from oic.handover.collected import CollectedRepository
    from oic.handover.packages import Index
    from oic.ospackage.fetch import Fetcher
    from oic.ospackage.lock import Lock, LockedPackage, LockedRepository, Request
    from oic.ospackage.origin import Known
    from oic.ospackage.store import Store
    from oic.provider.belongings import Belongings
    from oic.provider.carrying import Carried
    from oic.provider.described import DescribedPackage
    from oic.provider.documents import Answer
    from oic.provider.firstboot import FirstBoot
    from oic.provider.told import ToldRepository
    from oic.values import Digest


class Previous(Value):
    """What is kept from the last run: the index (against replay), the known signers, and servers' answers by URL."""

    index: Index | None = None
    known: Known = field(default_factory=dict)
    answers: Mapping[str, Answer] = field(default_factory=dict)


class Metadata(Value):
    """The index and the servers' answers. They change without the index, so the hand-over has only the index."""

    index: Index
    answers: Mapping[str, Answer]


class Verdict(Value):
    """Why a package is trusted, in words; `signed` is false where only the recipe says so.

    `remarks` are sentences that the build prints once for all packages they apply to.
    """

    signed: bool
    words: str
    remarks: tuple[str, ...] = ()


class Listing(Value):
    """An index compared with a lock: who signed the index, and which packages it does not list (by sha256, in words).

    Without signers, the repository's metadata are not signed.
    """

    signers: tuple[str, ...]
    unlisted: Mapping[Digest, str]


class Provider(Protocol):
    """One package family."""

    def read_metadata(  # noqa: PLR0913 - what is asked for, and what is known
        self,
        repositories: Sequence[Repository],
        architecture: str,
        fetcher: Fetcher,
        store: Store,
        previous: Previous,
        made: Mapping[str, CollectedRepository] | None = None,
    ) -> Metadata:
        """Fetch and verify each repository's signed metadata; raises FetchError or TrustError.

        `made` are the repositories that the build made of package files, by name.
        """

    def describe(self, file: IO[bytes], digest: Digest, size: int, *, where: str) -> DescribedPackage:
        """Return what an open package file says of itself, with its entry in a list; raises TrustError."""

    def listing(self, entries: Sequence[bytes]) -> bytes:
        """Return the list of packages that consists of these entries, in the family's format, not compressed."""

    def metadata_warnings(self, index: Index, now: datetime) -> list[str]:
        """Return warnings about an index that is old or no longer valid. They do not change a solved set."""

    def solve(self, index: Index, request: Request, store: Store) -> Lock:
        """Return the complete package sets for `request`; raises SolveError with every problem."""

    def is_package(self, package: LockedPackage) -> bool:
        """Tell whether name, version and architecture are valid in this family."""

    def carried(self, lock: Lock) -> tuple[Carried, ...]:
        """Return the files of the image's repositories that a medium carries; raises OicError for an unsigned one."""

    def check_index(self, lock: Lock, repository: LockedRepository, store: Store) -> Listing | None:
        """Compare the lock's packages with the index that the lock names for their repository.

        Returns None when the index is not available any more or its signature has expired. Raises TrustError when the
        index is not signed by a key of the repository.
        """

    def signs_packages(self) -> bool:
        """Tell whether packages carry their own signatures; if so, their origin does not matter."""

    def verify(
        self,
        lock: Lock,
        packages: Sequence[LockedPackage],
        store: Store,
        claimed_by: Mapping[str, str] | None = None,
    ) -> dict[str, Verdict]:
        """Return the verdict on each package by name; raises TrustError naming every bad one.

        `claimed_by` is for packages whose listing could not be checked: the lock file that claims it, by sha256.
        """

    def unpack(self, packages: Sequence[tuple[LockedPackage, Path]], root: Path) -> int:
        """Unpack packages into an empty `root` and run nothing; return their newest time. Runs in a namespace."""

    def groups(self, packages: Sequence[LockedPackage]) -> list[list[LockedPackage]]:
        """Divide a set into groups, each to be installed as one layer, lowest first."""

    def install(self, packages: Sequence[tuple[LockedPackage, Path]], tree: Tree, *, may_fail: Sequence[str]) -> Filled:
        """Install packages into a mounted tree; return their newest time and the scriptlets that were let fail.

        Runs in a namespace. `may_fail` are items of ``scriptletsMayFail``. Raises ToolError when another script fails.
        """

    def installed_by(self, tools: str) -> str:
        """Return what an installed tree depends on besides its packages; `tools` is the build environment's digest.

        Empty, where programs of the packages themselves install them.
        """

    def belongings(self, packages: Sequence[tuple[LockedPackage, Path]], root: Path) -> Belongings:
        """Return which package each path of a mounted tree belongs to. Runs in a namespace."""

    def leftovers(self) -> tuple[str, ...]:
        """Return globs of files that installing leaves and that describe this build or this machine, not the image."""

    def first_boot(self) -> tuple[FirstBoot, ...]:
        """Return the files that installing generates and that each machine must make itself at its first boot."""

    def initramfs_path(self, version: str) -> str:
        """Return where in the tree the family's kernels and boot loaders have the initramfs of a kernel."""

    def environment(self, epoch: int) -> Mapping[str, str]:
        """Return the environment variables for programs of the image's tree."""

    def sources(self, root: Path, repositories: Sequence[LockedRepository], keys: Mapping[str, str]) -> dict[str, str]:
        """Return the files (path: text) that configure repositories in the image; runs with the tree as its root.

        `keys` says which: repository name → key file in the image, empty for one that the image is not to know. A name
        there that is not among `repositories` is a repository of the distribution that the image was not built from.
        """

    def recipe_sources(
        self, root: Path, told: Sequence[ToldRepository], repositories: Sequence[LockedRepository], /
    ) -> dict[str, str]:
        """Return the files (path: text) that tell the image's package manager of the recipe's repositories.

        Runs with the tree as its root. `repositories` are all that the image was built from, those of the recipe among
        them.
        """

    def key_path(self, name: str) -> str:
        """Return where in an image the key file of this name is."""

    def key_file(self, body: bytes, *, where: str) -> bytes:
        """Return a key file in the form that the image's package manager takes; raises TrustError."""

    def sizes_command(self) -> tuple[Sequence[str], int]:
        """Return the command that prints size and name of the installed packages, by a tab, and the unit's bytes."""

    def list_command(self) -> Sequence[str]:
        """Return the command that prints the installed packages: name, version, state, separated by tabs."""
