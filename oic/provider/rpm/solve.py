"""Solve a request against verified rpm metadata: the package sets and why each package is in them.

index ─> sources ─> pool ─specs─> selected packages ─ libsolv ─┬─ a set ─> dependencies, install order ─> lock
                                                               └─ no solution: the problems, in words

* libsolv gets the same options as from dnf, so its answer is the same. The options of dnf that are not set here only
  concern packages that are already installed.
* A set has one version of each name, also of kernels, which dnf would install side by side.
* The repository's priority counts before the version; within one priority, the newest installable version is chosen.
"""

from __future__ import annotations

import dataclasses
import functools
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import solv
from msgspec import UNSET

from oic.errors import SolveError
from oic.ospackage.affinity import choose_near
from oic.ospackage.graph import install_order
from oic.ospackage.indexed import RpmRepository
from oic.ospackage.lock import LockedPackage
from oic.ospackage.problems import problem_lines
from oic.ospackage.sets import solve_request
from oic.ospackage.solver import Fact, facts_of
from oic.provider.compression import decompressed
from oic.provider.rpm.dependencies import RECOMMENDS, REQUIRES, Dependencies
from oic.provider.rpm.entry import location_of
from oic.provider.rpm.packages import PackageSource
from oic.provider.rpm.pool import Packages
from oic.provider.rpm.repomd import FILELISTS, PRIMARY
from oic.provider.rpm.rich import satisfying
from oic.provider.rpm.specs import resolve_specs
from oic.values import Bytes, Digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from oic.handover.packages import Index
    from oic.ospackage.indexed import ListedFile
    from oic.ospackage.lock import AskedSet, Lock, Request, Requirement
    from oic.ospackage.store import Store
    from oic.provider.rpm.specs import PackageSpec


def solve(index: Index, request: Request, store: Store) -> Lock:
    """Return the lock that answers `request`; raises SolveError with a line for each problem of each set."""
    sources = sources_of(index, store)
    urls = {entry.name: entry.url for entry in index.repositories}
    pools: dict[tuple[str, ...], Packages] = {}

    def solve_set(asked: AskedSet, recommends: bool) -> tuple[LockedPackage, ...]:  # noqa: FBT001 - called by us
        names = tuple(sources) if asked.repositories is UNSET else asked.repositories
        if names not in pools:
            pools[names] = Packages([sources[repository] for repository in names], request.architecture)
        return _solve_set(pools[names], asked.names, urls, recommends=recommends)

    return solve_request(index, request, solve_set)


def sources_of(index: Index, store: Store) -> dict[str, PackageSource]:
    """Return the packages of each repository by its name; raises TrustError for damage in the store."""
    return {entry.name: source_of(entry, store) for entry in index.of(RpmRepository)}


def source_of(entry: RpmRepository, store: Store) -> PackageSource:
    """Return the packages of one repository of the index."""

    def plain(file: ListedFile, kind: str) -> bytes:
        return decompressed(store.read(file.sha256), file.compression, file.plain_size, where=f"{entry.name}: {kind}")

    return PackageSource(
        name=entry.name,
        primary=plain(entry.primary, PRIMARY),
        filelists=plain(entry.filelists, FILELISTS) if entry.filelists else None,
        priority=entry.priority,
        allowed=entry.allow_packages,
        group=entry.group,
    )


def select_packages(
    packages: Packages, specs: Sequence[PackageSpec], *, recommends: bool, unknown: Sequence[str] = ()
) -> list[Any]:
    """Return the packages to install; raises SolveError with a line for each problem, the `unknown` specs first."""
    pool = packages.pool
    jobs = [
        pool.Job(
            solv.Job.SOLVER_INSTALL | solv.Job.SOLVER_SOLVABLE_ONE_OF,
            pool.towhatprovides([package.id for package in spec.packages]),
        )
        for spec in specs
    ]
    solver = pool.Solver()
    solver.set_flag(solver.SOLVER_FLAG_IGNORE_RECOMMENDED, not recommends)
    facts = [_facts(problem, packages, specs) for problem in solver.solve(jobs)]
    if problems := [*unknown, *problem_lines(facts, functools.partial(_available, packages))]:
        raise SolveError("\n".join(problems))
    return list(solver.transaction().newsolvables())


def _facts(problem: Any, packages: Packages, specs: Iterable[PackageSpec]) -> tuple[Fact, ...]:
    """Return the facts of a problem, and the specs that select packages of several names in it."""
    facts = [
        dataclasses.replace(fact, targets=()) if fact.kind == "needs" and _lacking(packages, fact.capability) else fact
        for fact in facts_of(problem, packages.name_of)
    ]
    involved = {name for fact in facts for name in (fact.source, *fact.targets)}
    for spec in specs:
        targets = tuple(packages.name_of[package.id] for package in spec.packages)
        if len({package.name for package in spec.packages}) > 1 and involved.issuperset(targets):
            facts.append(Fact(kind="word", source=spec.spec, capability="", targets=targets))
    return tuple(facts)


def _lacking(packages: Packages, capability: str) -> list[str]:
    """Return the parts of a rich dependency that no package provides, unless it is all of them."""
    parts: dict[str, bool] = {}

    def look(part: str) -> frozenset[str]:
        parts[part] = bool(packages.providing(part))
        return frozenset()

    if capability.startswith("("):
        satisfying(capability, look)
    return [part for part, there in parts.items() if not there] if any(parts.values()) else []


def _available(packages: Packages, capability: str) -> str:
    if lacking := _lacking(packages, capability):
        return f"of which no package provides {' or '.join(lacking)}"
    there = packages.providing(capability.partition(" ")[0])
    found = f"but there is only {', '.join(dict.fromkeys(map(str, there)))}" if there else "which no package provides"
    excluded = packages.excluded(capability)
    return f"{found} ({excluded})" if excluded else found


def _solve_set(
    packages: Packages, words: Sequence[str], urls: Mapping[str, str], *, recommends: bool
) -> tuple[LockedPackage, ...]:
    specs, unknown = resolve_specs(packages, words)
    near = _Near(packages, specs, unknown, recommends=recommends)
    found = choose_near(near, near.requested) if packages.is_mixed else near.choose({})
    chosen = {package.name: package for package in found}
    edges = Dependencies(packages, chosen)
    requires = {name: tuple(edges.of(package, REQUIRES)) for name, package in chosen.items()}
    order = install_order(
        {name: [entry.package for entry in entries] for name, entries in requires.items()},
        {
            name: [entry.package for entry in entries if entry.kind == "Requires(pre)"]
            for name, entries in requires.items()
        },
    )
    weak = edges.weak() if recommends else {}
    return tuple(
        _locked(chosen[name], _specs_for(chosen[name], specs), (*requires[name], *weak.get(name, ())), urls)
        for name in order
    )


class _Near:
    """The packages of a set, for `oic.ospackage.affinity`."""

    def __init__(
        self, packages: Packages, specs: Sequence[PackageSpec], unknown: Sequence[str], *, recommends: bool
    ) -> None:
        self._packages = packages
        self._specs = specs
        self._unknown = unknown
        self._recommends = recommends
        self._chosen: Mapping[str, Any] = {}
        self._edges = Dependencies(packages, {})
        self.requested = list(dict.fromkeys(one.name for spec in specs for one in spec.packages))

    def choose(self, fixed: Mapping[str, Any]) -> list[Any]:
        self._packages.fix(fixed)
        try:
            return select_packages(self._packages, self._specs, recommends=self._recommends, unknown=self._unknown)
        finally:
            self._packages.fix({})

    def name(self, package: Any) -> str:
        return str(package.name)

    def needs(self, package: Any, chosen: Mapping[str, Any]) -> Iterator[tuple[Any, Any | None]]:
        if self._chosen is not chosen:
            self._chosen, self._edges = chosen, Dependencies(self._packages, chosen)
        kinds = (*REQUIRES, *RECOMMENDS) if self._recommends else REQUIRES
        for edge in self._edges.of(package, kinds):
            needed = chosen[edge.package]
            yield needed, self._packages.nearer(needed, package, edge.relation)


def _specs_for(package: Any, specs: Iterable[PackageSpec]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(spec.spec for spec in specs if any(package.id == one.id for one in spec.packages)))


def _locked(
    package: Any, words: tuple[str, ...], requires: tuple[Requirement, ...], urls: Mapping[str, str]
) -> LockedPackage:
    location = location_of(package)
    return LockedPackage(
        name=package.name,
        version=package.evr.removeprefix("0:"),
        architecture=package.arch,
        repository=package.repo.name,
        location=location,
        url=f"{urls[package.repo.name].rstrip('/')}/{quote(location, safe='/%+:~^@,=')}",
        size=Bytes(package.lookup_num(solv.SOLVABLE_DOWNLOADSIZE)),
        sha256=Digest(str(package.lookup_checksum(solv.SOLVABLE_CHECKSUM)).removeprefix("sha256:")),
        essential=False,
        requested=words,
        requires=requires,
    )
