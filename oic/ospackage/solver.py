"""Chooses packages with libsolv's SAT solver, independently of the package family.

A family translates its relations into *capabilities*: strings that candidates provide, require or conflict with. The
text of a relation serves as a capability, which exactly the candidates that satisfy it provide. So the version order
stays in the family's code, and a problem can be reported in the terms of the packages.

* Two candidates with the same name are never chosen together. Each provides its name: libsolv sees them by that.
* Of the candidates that satisfy a capability, `favored` ones come first, then those of a higher `rank`.
* All problems are reported, not only the first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import solv

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

_ARCHITECTURE = "noarch"


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A version of a package; `key` is unique among all candidates, `rank` orders the versions of a name."""

    key: str
    name: str
    rank: int
    requires: tuple[str, ...]
    recommends: tuple[str, ...]
    conflicts: tuple[str, ...]
    provides: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A step in the proof that there is no solution.

    `kind` is ``asked`` (the request asks for `capability`), ``needs`` (`source` requires it, and only `targets` satisfy
    it, if any), ``conflict`` (`source` conflicts with `targets`), ``obsoletes`` (`source` replaces `targets`), ``same``
    (two packages of one name), ``alone`` (`source` conflicts with itself), or ``word`` (`source` is an entry of the
    recipe that means one of `targets`).
    """

    kind: str
    source: str
    capability: str
    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The keys of the chosen candidates, or the facts of each problem."""

    chosen: frozenset[str]
    problems: tuple[tuple[Fact, ...], ...]


def solve(
    candidates: Iterable[Candidate], wanted: Sequence[str], *, favored: Collection[str] = (), recommends: bool = False
) -> Answer:
    """Return the smallest set that libsolv finds in which each capability in `wanted` is provided."""
    pool = solv.Pool()
    pool.setarch("x86_64")
    by_id = _feed(pool, candidates)
    pool.createwhatprovides()
    jobs = [pool.Job(solv.Job.SOLVER_INSTALL | solv.Job.SOLVER_SOLVABLE_PROVIDES, pool.str2id(want)) for want in wanted]
    jobs += [
        pool.Job(solv.Job.SOLVER_FAVOR | solv.Job.SOLVER_SOLVABLE, number)
        for number, key in by_id.items()
        if key in favored
    ]
    solver = pool.Solver()
    solver.set_flag(solver.SOLVER_FLAG_IGNORE_RECOMMENDED, not recommends)
    problems = solver.solve(jobs)
    if problems:
        return Answer(chosen=frozenset(), problems=tuple(facts_of(problem, by_id) for problem in problems))
    return Answer(chosen=frozenset(by_id[solvable.id] for solvable in solver.transaction().newsolvables()), problems=())


def _feed(pool: Any, candidates: Iterable[Candidate]) -> dict[int, str]:
    repository = pool.add_repo("candidates")
    by_id = {}
    for candidate in candidates:
        solvable = repository.add_solvable()
        solvable.name = candidate.name
        solvable.evr = str(candidate.rank)
        solvable.arch = _ARCHITECTURE
        for capability in candidate.provides:
            solvable.add_provides(pool.Dep(capability))
        for capability in candidate.requires:
            solvable.add_requires(pool.Dep(capability))
        for capability in candidate.recommends:
            solvable.add_deparray(solv.SOLVABLE_RECOMMENDS, pool.Dep(capability))
        for capability in candidate.conflicts:
            solvable.add_conflicts(pool.Dep(capability))
        by_id[solvable.id] = candidate.key
    return by_id


def facts_of(problem: Any, by_id: Mapping[int, str]) -> tuple[Fact, ...]:
    """Return the rules in the proof of a libsolv problem as facts, without duplicates, in libsolv's order.

    `by_id` maps the solvables that can be chosen to their keys.
    """
    facts = [
        _fact(problem.solv.pool, info, by_id) for rule in problem.findallproblemrules() for info in rule.allinfos()
    ]
    return tuple(dict.fromkeys(fact for fact in facts if fact is not None))


_KINDS = {
    solv.Solver.SOLVER_RULE_JOB: "asked",
    solv.Solver.SOLVER_RULE_JOB_NOTHING_PROVIDES_DEP: "asked",
    solv.Solver.SOLVER_RULE_PKG_REQUIRES: "needs",
    solv.Solver.SOLVER_RULE_PKG_NOTHING_PROVIDES_DEP: "needs",
    solv.Solver.SOLVER_RULE_PKG_CONFLICTS: "conflict",
    solv.Solver.SOLVER_RULE_PKG_OBSOLETES: "obsoletes",
    solv.Solver.SOLVER_RULE_PKG_IMPLICIT_OBSOLETES: "obsoletes",
    solv.Solver.SOLVER_RULE_PKG_SAME_NAME: "same",
    solv.Solver.SOLVER_RULE_PKG_SELF_CONFLICT: "alone",
}


def _fact(pool: Any, info: Any, by_id: Mapping[int, str]) -> Fact | None:
    kind = _KINDS.get(info.type)
    if kind is None:
        return None
    source = by_id.get(info.solvable.id, "") if info.solvable else ""
    target = by_id.get(info.othersolvable.id, "") if info.othersolvable else ""
    if (info.solvable and not source) or (info.othersolvable and not target):
        return None  # the package is excluded from the pool
    capability = pool.dep2str(info.dep_id) if info.dep_id and kind != "same" else ""
    targets = _providers(pool, info.dep_id, by_id) if kind in ("asked", "needs") else (target,)
    return Fact(kind=kind, source=source, capability=capability, targets=targets)


def _providers(pool: Any, capability: int, by_id: Mapping[int, str]) -> tuple[str, ...]:
    found = (by_id.get(solvable.id) for solvable in pool.whatprovides(capability)) if capability else ()
    return tuple(sorted(name for name in found if name))
