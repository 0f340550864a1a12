"""Affinity: a dependency comes from the repository of the package that needs it, if that has it.

    choose ─> packages ─> the first package that needs each, breadth first ─┬─ nothing nearer ─> the answer
       ^                                                                    │
       └──────────────── with these versions fixed ─────────────────────────┘

* Priority comes first: only a version of the same priority as the chosen one can be nearer.
* The distribution's own repositories count as one: updates of a release are not left out.
* What is asked for by name has no such package, and is chosen by priority and version alone.
* Where a nearer version leads to no solution, the chosen one stays.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Protocol, TypeVar

from oic.errors import SolveError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

P = TypeVar("P")


class Family(Protocol[P]):
    """What a package family tells of its packages; `P` is its type of a package."""

    def choose(self, fixed: Mapping[str, P]) -> Sequence[P]:
        """Return the packages to install, with these versions of these names; raises SolveError."""

    def name(self, package: P) -> str:
        """Return a package's name."""

    def needs(self, package: P, chosen: Mapping[str, P]) -> Iterable[tuple[P, P | None]]:
        """Yield each chosen package that the package needs, and the nearer version of it, if there is one."""


def choose_near(family: Family[P], requested: Sequence[str]) -> Sequence[P]:
    """Return the packages to install; raises SolveError where there is no solution at all."""
    fixed: dict[str, P] = {}
    refused = set(requested)
    chosen = family.choose(fixed)
    while nearer := _nearer(family, chosen, requested, fixed.keys() | refused):
        found, kept = _settle(family, fixed, nearer)
        refused |= nearer.keys() - kept.keys()
        fixed |= kept
        chosen = found or chosen
    return chosen


def _nearer(family: Family[P], chosen: Sequence[P], requested: Sequence[str], settled: Iterable[str]) -> dict[str, P]:
    """Return the nearer version of each package, as the first package that needs it has it."""
    by_name = {family.name(package): package for package in chosen}
    done, seen = set(settled), set[str]()
    found: dict[str, P] = {}
    for root in dict.fromkeys((*requested, *by_name)):
        todo = deque([root])
        while todo:
            name = todo.popleft()
            if name in seen or name not in by_name:
                continue
            seen.add(name)
            for needed, near in family.needs(by_name[name], by_name):
                todo.append(family.name(needed))
                if todo[-1] not in done:
                    done.add(todo[-1])
                    if near is not None:
                        found[todo[-1]] = near
    return found


def _settle(
    family: Family[P], fixed: Mapping[str, P], nearer: Mapping[str, P]
) -> tuple[Sequence[P] | None, Mapping[str, P]]:
    """Return a solution with as many of the nearer versions as possible, tried all at once and then one by one."""
    try:
        return family.choose({**fixed, **nearer}), nearer
    except SolveError:
        if len(nearer) == 1:
            return None, {}
    kept: dict[str, P] = {}
    last = None
    for name, package in nearer.items():
        found, good = _settle(family, {**fixed, **kept}, {name: package})
        kept |= good
        last = found or last
    return last, kept
