"""Solve a request against verified Debian indexes: the package sets and why each package is in them.

index ─> sources ─> universe ─words─> what is asked for
                                          │
     apt's choice (a greedy walk) ────────┴──> does it go together? (SAT) ── yes ──> lock
                                                    │ no
                        SAT over everything in reach, apt's choice favoured; what it rejects the walk leaves out
                                                    │ none with the candidates
                                      the same with every version there is; none: the problems, in words
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from msgspec import UNSET

from oic.errors import SolveError
from oic.ospackage import solver
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
from oic.provider.deb.universe import Source, Universe
from oic.provider.deb.words import wanted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

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


def sources_of(index: Index, store: Store) -> dict[str, Source]:
    """Return each repository's packages by its name; raises TrustError when the store no longer holds what it did."""
    return {entry.name: _source(entry, index.architecture, store) for entry in index.of(DebRepository)}


def choose(universe: Universe, wanted_packages: Sequence[DebPackage], *, recommends: bool) -> list[DebPackage]:
    """Return the packages to install, apt's own choice wherever that holds together; raises SolveError."""
    refused: set[str] = set()
    chosen: list[DebPackage] = []
    for _ in range(_ROUNDS):
        walk = Walk(universe, recommends=recommends, refused=refused)
        walk.take(wanted_packages)
        preferred = list(walk.chosen.values())
        candidates = feed.candidates(universe, preferred, recommends=False)
        if not solver.choose(candidates, [feed.any_version(name) for name in walk.chosen]).problems:
            return preferred
        chosen = chosen or _search(universe, wanted_packages, preferred, recommends=recommends)
        rejected = walk.chosen.keys() - {package.name for package in chosen} - refused
        if not rejected:
            break
        refused |= rejected
    return chosen


def _search(
    universe: Universe, wanted_packages: Sequence[DebPackage], preferred: Sequence[DebPackage], *, recommends: bool
) -> list[DebPackage]:
    """Ask the solver for any answer, near the preferred one: first of the candidates, then of all versions."""
    names = [package.name for package in wanted_packages]
    for there in (universe, universe.narrowed(universe.pinned, widened=True)):
        start = [package for name in names for package in there.open_versions(name)]
        reach = {feed.key_of(package): package for package in feed.closure(there, start, recommends=recommends)}
        answer = solver.choose(
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
    meant = wanted(universe, asked.names)
    pinned = universe.narrowed(meant.pins)
    names = dict.fromkeys([*meant.words, *(pinned.essential() if asked.essential else ())])
    start = [_expected(pinned, name) for name in names]
    chosen = {package.name: package for package in choose(pinned, start, recommends=recommends)}
    # The versions chosen may be other ones than the candidates: look at relations with all of them open.
    there = universe.narrowed(meant.pins, widened=True)
    requires = {name: _requires(package, chosen, there, recommends=recommends) for name, package in chosen.items()}
    order = install_order(
        {name: [entry.package for entry in entries] for name, entries in requires.items()},
        {
            name: [entry.package for entry in entries if entry.kind == "Pre-Depends"]
            for name, entries in requires.items()
        },
    )
    return tuple(_locked(chosen[name], meant.words.get(name, ()), requires[name], urls) for name in order)


def _expected(universe: Universe, name: str) -> DebPackage:
    """Return the candidate of a name that is to be in; raises SolveError: it must not be missing in silence."""
    package = universe.candidate(name)
    if package is None:
        raise SolveError(f"there is no package {name} that may be taken")
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


def _source(entry: DebRepository, architecture: str, store: Store) -> Source:
    index = PackagesIndex(entry.name, architecture)
    for part in entry.packages:
        where = f"{entry.name}: Packages of {part.component}"
        index.add(decompressed(store.read(part.sha256), part.compression, part.plain_size, where=where))
    return Source(index=index, priority=entry.priority, allowed=entry.allow_packages)
