"""The first seam: what a package family must be able to do. Two families exist: ``deb`` and ``rpm``.

Stages know this protocol and nothing about either family.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from oic.config.model import Repository
    from oic.net import Fetcher
    from oic.ospackage.lock import Lock, LockedPackage
    from oic.store import Store
    from oic.values import Digest


class Provider(Protocol):
    """One package family."""

    def read_metadata(
        self, repositories: Sequence[Repository], architecture: str, fetcher: Fetcher, store: Store, previous: dict[str, Any]
    ) -> dict[str, Any]:
        """Fetch and verify each repository's signed metadata; return the index hand-over.

        Raises FetchError or TrustError. `previous` is the last index (or empty): for conditional requests.
        """

    def solve(self, index: dict[str, Any], request: dict[str, Any], store: Store) -> Lock:
        """Return the complete sets that answer `request`; raises SolveError naming every problem."""

    def verify(self, packages: Sequence[LockedPackage], store: Store) -> dict[Digest, str]:
        """Return a verdict for each package in words; raises TrustError naming every bad one."""

    def unpack(self, packages: Sequence[tuple[LockedPackage, Path]], root: Path) -> None:
        """Unpack packages into `root` without running anything of theirs; called inside a namespace."""
