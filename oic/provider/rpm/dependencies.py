"""The dependencies among chosen rpm packages: which of them satisfies which requirement of which."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import solv

from oic.ospackage.lock import Requirement
from oic.provider.rpm.rich import satisfying

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from oic.provider.rpm.pool import Packages

REQUIRES = (("Requires(pre)", solv.SOLVABLE_REQUIRES, 1), ("Requires", solv.SOLVABLE_REQUIRES, -1))
"""The names of required dependencies in the lock and in libsolv; 1 selects those of scripts only, -1 the others."""
RECOMMENDS = (("Recommends", solv.SOLVABLE_RECOMMENDS, 0),)
_REVERSE = (("is in its Supplements", solv.SOLVABLE_SUPPLEMENTS, 0),)


class Dependencies:
    """The dependencies among the chosen packages."""

    def __init__(self, packages: Packages, chosen: Mapping[str, Any]) -> None:
        self._packages = packages
        self._chosen = chosen
        self._ids = {package.id for package in chosen.values()}
        self._known: dict[str, frozenset[str]] = {}

    def of(self, package: Any, kinds: Iterable[tuple[str, int, int]]) -> Iterator[Requirement]:
        """Yield a package's dependencies of these kinds, each with the chosen packages that satisfy it."""
        for kind, relation, marker in kinds:
            # Sorted, because libsolv's order depends on other packages in the repository and the lock must not.
            texts = set(map(str, package.lookup_deparray(relation, marker)))
            for text in sorted(texts, key=lambda text: (text.startswith("("), text)):
                found = satisfying(text, self._providers)
                if package.name in found:
                    continue
                name = text.partition(" ")[0]
                names = sorted(found) if text.startswith("(") else [name] if name in found else sorted(found)[:1]
                yield from (Requirement(kind=kind, relation=text, package=name) for name in names)

    def weak(self) -> dict[str, list[Requirement]]:
        """Return the weak dependencies: Recommends, and Supplements as dependencies of the package they name."""
        found = {name: list(self.of(package, RECOMMENDS)) for name, package in self._chosen.items()}
        for name, package in self._chosen.items():
            for edge in self.of(package, _REVERSE):
                found[edge.package].append(Requirement(kind=edge.kind, relation=edge.relation, package=name))
        return found

    def _providers(self, text: str) -> frozenset[str]:
        if text not in self._known:
            found = self._packages.providing(text)
            self._known[text] = frozenset(package.name for package in found if package.id in self._ids)
        return self._known[text]
