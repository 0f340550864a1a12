"""Debian packages as candidates for the solver: the text of each relation becomes a capability.

    libfoo 1.2   provides  "libfoo (>= 1.0)"  "libfoo | libbar"  "foo-abi"     all relations that it satisfies
                 requires  "libc6 (>= 2.36)"
                 conflicts "libfoo-old"

So the solver needs to know nothing about Debian's version order, virtual packages, Multi-Arch and alternatives.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from oic.ospackage.solver import Candidate
from oic.provider.deb.relation import clause_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from oic.provider.deb.packages import DebPackage
    from oic.provider.deb.relation import Clause
    from oic.provider.deb.universe import Universe


def any_version(name: str) -> str:
    """Return the capability that exactly the versions of this name provide."""
    return f"package {name}"


def key_of(package: DebPackage) -> str:
    """Return a package's name among the candidates; messages show it too."""
    return f"{package.name} {package.version}"


def closure(universe: Universe, start: Iterable[DebPackage], *, recommends: bool) -> list[DebPackage]:
    """Return `start` and every package that satisfies a dependency of any package in the result."""
    reached = dict.fromkeys(start)
    todo = list(reached)
    while todo:
        package = todo.pop()
        clauses = package.pre_depends + package.depends + (package.recommends if recommends else ())
        for clause in clauses:
            for answer in universe.answering(clause):
                if answer not in reached:
                    reached[answer] = None
                    todo.append(answer)
    return list(reached)


def candidates(universe: Universe, packages: Iterable[DebPackage], *, recommends: bool) -> list[Candidate]:
    """Return the packages as candidates, each with those relations of the others that it satisfies."""
    packages = list(packages)
    provides: defaultdict[DebPackage, list[str]] = defaultdict(list)
    for clause in dict.fromkeys(clause for package in packages for clause in _clauses(package, recommends=recommends)):
        for answer in universe.answering(clause):
            provides[answer].append(clause_text(clause))
    return [
        Candidate(
            key=key_of(package),
            name=any_version(package.name),
            rank=universe.rank(package),
            requires=_texts(package.pre_depends + package.depends),
            recommends=_texts(package.recommends) if recommends else (),
            conflicts=_texts(package.conflicts + package.breaks),
            provides=(any_version(package.name), *provides[package]),
        )
        for package in packages
    ]


def _clauses(package: DebPackage, *, recommends: bool) -> tuple[Clause, ...]:
    positive = package.pre_depends + package.depends + (package.recommends if recommends else ())
    return positive + package.conflicts + package.breaks


def _texts(clauses: tuple[Clause, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(map(clause_text, clauses)))
