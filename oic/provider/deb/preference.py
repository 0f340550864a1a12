"""Which packages apt would choose. The solver gets them as its preference.

apt chooses greedily, and users know the result: first the requested packages, then the dependencies of each package,
depth first and in the order they are written. For a dependency that no chosen package satisfies, it takes the first
alternative that is installable with all that it needs. This module makes the same choices (those of
``pkgDepCache::MarkInstall`` in apt 2.6). It does not check that they are consistent; the solver does.

* A package with a dependency that cannot be satisfied is refused from then on, and the next alternative is tried.
* Requested packages are *protected*: they are chosen first, satisfy dependencies of all others, and what they conflict
  with is refused. A package that alone can satisfy a dependency of a protected package becomes protected too.
* When two other packages conflict, the later one wins, unless the earlier one waits for it.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from oic.provider.deb.packages import DebPackage
    from oic.provider.deb.relation import Clause
    from oic.provider.deb.universe import Universe

# A step yields the package that it needs to be marked, and receives whether that worked. Generators replace recursion,
# because a chain of dependencies can be longer than Python's stack allows.
_Step = Generator["DebPackage", bool, bool]


class Walk:
    """One run of apt's choice; `chosen` is the result by name, in the order of the decisions.

    Packages with `refused` names are never chosen.
    """

    def __init__(self, universe: Universe, *, recommends: bool, refused: Iterable[str] = ()) -> None:
        self.universe = universe
        self.recommends = recommends
        self.chosen: dict[str, DebPackage] = {}
        self._protected: set[str] = set()
        self._waiting: set[str] = set()
        self._refused: set[str] = set(refused)

    def take(self, wanted: Sequence[DebPackage]) -> None:
        """Choose the requested packages, then everything that they need."""
        for package in wanted:
            self.chosen[package.name] = package
            self._protected.add(package.name)
        for package in wanted:
            self._run(package)

    def _run(self, package: DebPackage) -> None:
        stack = [self._mark(package)]
        result = None
        while stack:
            try:
                # The first value that a generator receives must be None.
                needed = stack[-1].send(result)  # type: ignore[arg-type]
            except StopIteration as stop:
                stack.pop()
                result = stop.value
            else:
                stack.append(self._mark(needed))
                result = None

    def _mark(self, package: DebPackage) -> _Step:
        """Choose a package with its dependencies; the result says whether that was possible."""
        name = package.name
        protected = name in self._protected
        if not protected and name in self.chosen and name not in self._waiting:
            return True
        if not protected and not self._available(package):
            self._refused.add(name)
            return False
        if not self._displace(package, protected=protected) and not protected:
            return False
        self.chosen[name] = package
        first = name not in self._waiting
        self._waiting.add(name)
        done = yield from self._satisfy_all(package, protected=protected)
        if first:
            self._waiting.discard(name)
        if not done and not protected:
            self.chosen.pop(name, None)
            self._refused.add(name)
        return done

    def _satisfy_all(self, package: DebPackage, *, protected: bool) -> _Step:
        done = True
        for clause in package.pre_depends + package.depends:
            done = (yield from self._satisfy(clause, protected=protected)) and done
            if not done and not protected:
                return False
        for clause in package.recommends if self.recommends else ():
            yield from self._satisfy(clause, protected=False)
        return done

    def _satisfy(self, clause: Clause, *, protected: bool) -> _Step:
        answers = [package for package in self.universe.answering(clause) if self._open(package)]
        only = protected and len(answers) == 1
        if any(self.chosen.get(package.name) is package for package in answers):
            if only and not self._is_protected(answers[0].name):
                self._protected.add(answers[0].name)
                return (yield answers[0])
            return True
        for package in self.universe.preferred(clause):
            if package not in answers:
                continue
            if only and self._available(package):
                self.chosen[package.name] = package
                self._protected.add(package.name)
            if (yield package):
                return True
        return False

    def _is_protected(self, name: str) -> bool:
        return name in self._protected or name in self._waiting

    def _open(self, package: DebPackage) -> bool:
        """Tell whether the package may still be chosen: it is not refused, and no other version of it is chosen."""
        return package.name not in self._refused and self.chosen.get(package.name, package) is package

    def _available(self, package: DebPackage) -> bool:
        """Tell whether each dependency can still be satisfied."""
        return package.name not in self._refused and all(
            any(answer.name not in self._refused for answer in self.universe.answering(clause))
            for clause in package.pre_depends + package.depends
        )

    def _displace(self, package: DebPackage, *, protected: bool) -> bool:
        """Drop the packages that it conflicts with; returns False when one of them must stay."""
        for clause in package.conflicts + package.breaks:
            for other in self.universe.answering(clause):
                if other.name == package.name:
                    continue
                if self.chosen.get(other.name) is other:
                    if self._is_protected(other.name):
                        return False
                    del self.chosen[other.name]
                if protected:
                    self._refused.add(other.name)
        return True
