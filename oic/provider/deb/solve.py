"""Solve a request against verified Debian indexes: the package sets and why each package is in them.

index ─> sources ─> universe ─specs─> requested packages
                                          │
     apt's choice (greedy) ───────────────┴──> is it consistent? (SAT) ── yes ──> lock
                                                    │ no
                        SAT over all reachable candidates, preferring apt's choice; apt's choice again without
                        the packages that it rejects
                                                    │ no solution with the candidates
                        SAT over all versions; without a solution: the problems, in words
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from msgspec import UNSET

from oic.errors import SolveError
from oic.ospackage import solver
from oic.ospackage.affinity import choose_near
from oic.ospackage.graph import install_order
from oic.ospackage.indexed import DebRepository
from oic.ospackage.lock import LockedPackage, Requirement
from oic.ospackage.sets import solve_request
from oic.provider.compression import decompressed
from oic.provider.deb import feed
from oic.provider.deb.packages import PackagesIndex
from oic.provider.deb.preference import Walk
from oic.provider.deb.problems import problem_lines
from oic.provider.deb.relation import clause_text
from oic.provider.deb.specs import resolve_specs
from oic.provider.deb.universe import PackageSource, Universe

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from oic.handover.packages import Index
    from oic.ospackage.lock import AskedSet, Lock, Request
    from oic.ospackage.store import Store
    from oic.provider.deb.packages import DebPackage
    from oic.provider.deb.relation import Clause

_ROUNDS = 3


def solve(index: Index, request: Request, store: Store) -> Lock:
    """Return the lock that answers `request`; raises SolveError with a line for each problem of each set."""
    sources = sources_of(index, store)
    urls = {entry.name: entry.url for entry in index.repositories}

    def solve_set(asked: AskedSet, recommends: bool) -> tuple[LockedPackage, ...]:  # noqa: FBT001 - called by us
        names = sources if asked.repositories is UNSET else asked.repositories
        universe = Universe([sources[name] for name in names], request.architecture)
        return _solve_set(universe, asked, urls, recommends=recommends)

    return solve_request(index, request, solve_set)


def sources_of(index: Index, store: Store) -> dict[str, PackageSource]:
    """Return the packages of each repository by its name; raises TrustError for damage in the store."""
    return {entry.name: source_of(entry, index.architecture, store) for entry in index.of(DebRepository)}


def select_packages(universe: Universe, requested: Sequence[DebPackage], *, recommends: bool) -> list[DebPackage]:
    """Return the packages to install: apt's own choice where that is consistent; raises SolveError."""
    refused: set[str] = set()
    chosen: list[DebPackage] = []
    for _ in range(_ROUNDS):
        walk = Walk(universe, recommends=recommends, refused=refused)
        walk.take(requested)
        preferred = list(walk.chosen.values())
        candidates = feed.candidates(universe, preferred, recommends=False)
        if not solver.solve(candidates, [feed.any_version(name) for name in walk.chosen]).problems:
            return preferred
        chosen = chosen or _search(universe, requested, preferred, recommends=recommends)
        rejected = walk.chosen.keys() - {package.name for package in chosen} - refused
        if not rejected:
            break
        refused |= rejected
    return chosen


def _search(
    universe: Universe, requested: Sequence[DebPackage], preferred: Sequence[DebPackage], *, recommends: bool
) -> list[DebPackage]:
    """Return a solution near the preferred packages: one of candidates only, or else one of any versions."""
    names = [package.name for package in requested]
    for there in (universe, universe.narrowed(universe.pinned, widened=True)):
        start = [package for name in names for package in there.open_versions(name)]
        reach = {feed.key_of(package): package for package in feed.closure(there, start, recommends=recommends)}
        answer = solver.solve(
            feed.candidates(there, reach.values(), recommends=recommends),
            [feed.any_version(name) for name in names],
            favored={feed.key_of(package) for package in preferred},
            recommends=recommends,
        )
        if not answer.problems:
            return [reach[key] for key in sorted(answer.chosen)]
    raise SolveError("\n".join(problem_lines(answer, there)))


def _solve_set(
    universe: Universe, asked: AskedSet, urls: Mapping[str, str], *, recommends: bool
) -> tuple[LockedPackage, ...]:
    requested = resolve_specs(universe, asked.names)
    pinned = universe.narrowed(requested.pins)
    names = dict.fromkeys([*requested.specs, *(pinned.essential() if asked.essential else ())])
    start = [_expected(pinned, name) for name in names]
    near = _Near(pinned, names, recommends=recommends)
    found = choose_near(near, list(names)) if pinned.is_mixed else select_packages(pinned, start, recommends=recommends)
    chosen = {package.name: package for package in found}
    # The chosen versions need not be the candidates, so relations are resolved with all versions.
    there = universe.narrowed(chosen if pinned.is_mixed else requested.pins, widened=True)
    requires = {name: _requires(package, chosen, there, recommends=recommends) for name, package in chosen.items()}
    order = install_order(
        {name: [entry.package for entry in entries] for name, entries in requires.items()},
        {
            name: [entry.package for entry in entries if entry.kind == "Pre-Depends"]
            for name, entries in requires.items()
        },
    )
    return tuple(_locked(chosen[name], requested.specs.get(name, ()), requires[name], urls) for name in order)


class _Near:
    """The packages of a set, for `oic.ospackage.affinity`."""

    def __init__(self, universe: Universe, requested: Iterable[str], *, recommends: bool) -> None:
        self._universe = universe
        self._requested = tuple(requested)
        self._recommends = recommends
        self._chosen: Mapping[str, DebPackage] = {}
        self._there = universe

    def choose(self, fixed: Mapping[str, DebPackage]) -> list[DebPackage]:
        there = self._universe.narrowed({**self._universe.pinned, **fixed})
        start = [_expected(there, name) for name in self._requested]
        return select_packages(there, start, recommends=self._recommends)

    def name(self, package: DebPackage) -> str:
        return package.name

    def needs(
        self, package: DebPackage, chosen: Mapping[str, DebPackage]
    ) -> Iterator[tuple[DebPackage, DebPackage | None]]:
        if self._chosen is not chosen:
            self._chosen, self._there = chosen, self._universe.narrowed(chosen)
        for clause in (*package.pre_depends, *package.depends, *(package.recommends if self._recommends else ())):
            name = _answer(clause, chosen, self._there)
            if name and name != package.name:
                yield chosen[name], self._universe.nearer(chosen[name], package, clause)


def _expected(universe: Universe, name: str) -> DebPackage:
    """Return the candidate of a requested name; raises SolveError when there is none."""
    package = universe.candidate(name)
    if package is None:
        raise SolveError(f"there is no package {name} that may be installed")
    return package


def _requires(
    package: DebPackage, chosen: Mapping[str, DebPackage], universe: Universe, *, recommends: bool
) -> tuple[Requirement, ...]:
    """Return the package's dependencies, each with the chosen package that satisfies it."""
    fields = [("Pre-Depends", package.pre_depends), ("Depends", package.depends)]
    if recommends:
        fields.append(("Recommends", package.recommends))
    return tuple(
        Requirement(kind=kind, relation=clause_text(clause), package=answer)
        for kind, clauses in fields
        for clause in clauses
        if (answer := _answer(clause, chosen, universe)) and answer != package.name
    )


def _answer(clause: Clause, chosen: Mapping[str, DebPackage], universe: Universe) -> str | None:
    for relation in clause:
        names = [package.name for package in universe.satisfying(relation) if chosen.get(package.name) is package]
        if names:
            return relation.name if relation.name in names else min(names)
    return None


def _locked(
    package: DebPackage, words: Iterable[str], requires: tuple[Requirement, ...], urls: Mapping[str, str]
) -> LockedPackage:
    return LockedPackage(
        name=package.name,
        version=package.version,
        architecture=package.architecture,
        repository=package.repository,
        location=package.location,
        url=f"{urls[package.repository].rstrip('/')}/{quote(package.location, safe='/+:')}",
        size=package.size,
        sha256=package.sha256,
        essential=package.essential,
        requested=tuple(words),
        requires=requires,
    )


def source_of(entry: DebRepository, architecture: str, store: Store) -> PackageSource:
    """Return the packages of one repository of the index; raises TrustError for damage in the store."""
    index = PackagesIndex(entry.name, architecture)
    for part in entry.packages:
        where = f"{entry.name}: Packages of {part.component}"
        index.add(decompressed(store.read(part.sha256), part.compression, part.plain_size, where=where))
    return PackageSource(index=index, priority=entry.priority, allowed=entry.allow_packages, group=entry.group)
