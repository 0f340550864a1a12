"""All packages that a set may contain: several repositories seen as one, and which package satisfies which relation.

* The *candidate* of a name is the version that apt would take: that of the repository with the highest priority, then
  the highest version. A repository with a negative priority has no candidates.
* A relation without a version is satisfied by a package of that name or one that provides it. With a version, the
  package's or the provide's version must match; an unversioned provide does not (Debian policy 7.5).
* ``name:any`` requires Multi-Arch: allowed. A relation to another architecture is never satisfied, because an image has
  one architecture.
* apt prefers, in this order: the name itself, Essential, Protected, Priority, and the name that occurs last.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from oic.ospackage.globs import glob_matches
from oic.provider.deb.version import version_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from oic.provider.deb.packages import DebPackage, PackagesIndex
    from oic.provider.deb.relation import Clause, Relation


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageSource:
    """A repository's index, its priority, and the names or globs of the packages to take from it (empty: all).

    `group` is the repository itself, or empty for each of the distribution's own.
    """

    index: PackagesIndex
    priority: int = 0
    allowed: tuple[str, ...] = ()
    group: str = ""

    def allows(self, package: DebPackage) -> bool:
        """Tell whether the package may be taken from this repository: by exact name, ``name_version`` or glob."""
        return not self.allowed or any(_names(allowed, package) for allowed in self.allowed)

    def missing(self) -> list[str]:
        """Return what of the allowed packages the repository does not have."""
        return [word for word in self.allowed if not self._has(word)]

    def _has(self, word: str) -> bool:
        if any(glob_matches(name, word) for name in self.index.names):
            return True
        named = (name for name in self.index.names if word.startswith((f"{name}_", f"{name}-")))
        return any(_names(word, package) for name in named for package in self.index.packages(name))


class Universe:
    """Packages by name and by relation.

    For a `pinned` name there is only that package; for others the candidate or, if `widened`, every version.
    """

    def __init__(
        self,
        sources: Sequence[PackageSource],
        architecture: str,
        *,
        pinned: Mapping[str, DebPackage] | None = None,
        widened: bool = False,
    ) -> None:
        self.sources = tuple(source for source in sources if source.priority >= 0)
        self.architecture = architecture
        self.pinned = pinned or {}
        self.widened = widened
        self._groups = {source.index.repository: source.group for source in self.sources}
        self._priorities = {source.index.repository: source.priority for source in self.sources}
        self._versions: dict[str, tuple[DebPackage, ...]] = {}
        self._satisfying: dict[Relation, tuple[DebPackage, ...]] = {}

    def narrowed(self, pinned: Mapping[str, DebPackage], *, widened: bool = False) -> Universe:
        """Return a universe of the same packages with these pins."""
        universe = Universe(self.sources, self.architecture, pinned=pinned, widened=widened)
        universe._versions = self._versions  # share the packages: they are compared by identity
        return universe

    @property
    def is_mixed(self) -> bool:
        """Tell whether there are repositories besides the distribution's own."""
        return len(set(self._groups.values())) > 1

    def names(self) -> Iterator[str]:
        """Yield the name of each package."""
        seen: set[str] = set()
        for source in self.sources:
            for name in source.index.names:
                if name not in seen:
                    seen.add(name)
                    yield name

    def versions(self, name: str) -> tuple[DebPackage, ...]:
        """Return each version of a package once, the candidate first."""
        if name not in self._versions:
            found = [
                (source.priority, package)
                for source in self.sources
                for package in source.index.packages(name)
                if source.allows(package)
            ]
            # The sort is stable: of a version in two repositories, the first repository's package is kept.
            found.sort(key=lambda pair: (pair[0], version_key(pair[1].version)), reverse=True)
            by_version: dict[str, DebPackage] = {}
            for _, package in found:
                by_version.setdefault(package.version, package)
            self._versions[name] = tuple(by_version.values())
        return self._versions[name]

    def rank(self, package: DebPackage) -> int:
        """Return the place of a version among those of its name: the higher the better."""
        versions = [one.version for one in self.versions(package.name)]
        return len(versions) - versions.index(package.version)

    def nearer(self, package: DebPackage, parent: DebPackage, clause: Clause) -> DebPackage | None:
        """Return the newest version in the parent's group of repositories that satisfies the clause.

        None where the package itself is from there, or where the group has no such version of the same priority.
        """
        group, priority = self._groups[parent.repository], self._priorities[package.repository]
        if self._groups[package.repository] == group:
            return None
        found = [
            other
            for source in self.sources
            if source.group == group and source.priority == priority
            for other in source.index.packages(package.name)
            if source.allows(other) and any(meets(other, relation, self.architecture) for relation in clause)
        ]
        return max(found, key=lambda other: version_key(other.version), default=None)

    def candidate(self, name: str) -> DebPackage | None:
        """Return the pinned version, or the one that apt would take."""
        return next(iter(self.open_versions(name)), None)

    def open_versions(self, name: str) -> tuple[DebPackage, ...]:
        """Return the versions that may be chosen: the pinned one, the candidate, or all."""
        if name in self.pinned:
            return (self.pinned[name],)
        return self.versions(name) if self.widened else self.versions(name)[:1]

    def essential(self) -> list[str]:
        """Return the names whose candidate is Essential, sorted."""
        names = {name for source in self.sources for name in source.index.essential}
        return sorted(name for name in names if (package := self.candidate(name)) and package.essential)

    def satisfying(self, relation: Relation) -> tuple[DebPackage, ...]:
        """Return the packages that satisfy the relation, in no particular order."""
        if relation not in self._satisfying:
            names = [relation.name]
            for source in self.sources:
                names += source.index.provided.get(relation.name, ())
            found = (package for name in sorted(set(names)) for package in self.open_versions(name))
            self._satisfying[relation] = tuple(
                package for package in found if meets(package, relation, self.architecture)
            )
        return self._satisfying[relation]

    def answering(self, clause: Clause) -> tuple[DebPackage, ...]:
        """Return the packages that satisfy one of the alternatives, each once, in no particular order."""
        if len(clause) == 1:
            return self.satisfying(clause[0])
        return tuple(dict.fromkeys(package for relation in clause for package in self.satisfying(relation)))

    def preferred(self, clause: Clause) -> tuple[DebPackage, ...]:
        """Return the same packages in the order in which apt tries them."""
        return tuple(dict.fromkeys(package for relation in clause for package in self._ordered(relation)))

    def _ordered(self, relation: Relation) -> list[DebPackage]:
        found = self.satisfying(relation)
        if len(found) == 1:
            return list(found)
        ranks = [_rank(package, relation) for package in found]
        tied = {package.name for package, rank in zip(found, ranks, strict=True) if ranks.count(rank) > 1}
        ages = {name: self._age(name) for name in tied}
        # The sort is stable: of several versions of one name the candidate stays first.
        return sorted(found, key=lambda package: (_rank(package, relation), ages.get(package.name, ())))

    def _age(self, name: str) -> tuple[int, int]:
        """Return where the name first occurs in the indexes, for apt's last criterion: later names come first."""
        for number, source in enumerate(self.sources):
            if (place := source.index.mention(name)) is not None:
                return (-number, -place)
        return (0, 0)


def meets(package: DebPackage, relation: Relation, architecture: str) -> bool:
    """Tell whether a package satisfies a relation by its name or by a provide."""
    if relation.qualifier == "any":
        if package.multi_arch not in ("allowed", "foreign"):
            return False
    elif relation.qualifier not in ("", "native", "all", architecture):
        return False
    if package.name == relation.name and relation.admits(package.version):
        return True
    return any(provide.name == relation.name and relation.admits(provide.version) for provide in package.provides)


def _names(word: str, package: DebPackage) -> bool:
    """Tell whether an entry of ``allowPackages`` names a package; ``name-1.2`` is the first part of a version too."""
    full = (f"{package.name}_{package.version}", f"{package.name}-{package.version}")
    return (
        glob_matches(package.name, word)
        or any(glob_matches(text, word) for text in full)
        or any(re.match(rf"{re.escape(word)}(?![A-Za-z0-9])", text) and len(word) > len(package.name) for text in full)
    )


def _rank(package: DebPackage, relation: Relation) -> tuple[object, ...]:
    return (package.name != relation.name, not package.essential, not package.protected, package.priority)
