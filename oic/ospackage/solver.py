"""Choose packages: libsolv's SAT solver, fed with capabilities, asked with capabilities, answering in words.

Knows no package family. A family turns what its relations mean into *capabilities*: plain strings that a candidate
provides and another requires or conflicts with. A relation's own text serves as the capability, provided by exactly
the candidates that satisfy it, so that the family's version order stays with the family and a problem can be told
in the words the packages use.

* Two candidates of one name are never chosen together.
* Among what satisfies a capability, `favored` candidates come first, then the higher `rank` of one name.
* Every problem is reported, not the first.
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
    """One version of a package; `key` names it among all candidates, `rank` orders the versions of one name."""

    key: str
    name: str
    rank: int
    requires: tuple[str, ...]
    recommends: tuple[str, ...]
    conflicts: tuple[str, ...]
    provides: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One step of why there is no answer.

    `kind`: ``asked`` (the request wants `capability`), ``needs`` (`source` requires it; only `targets` satisfy it,
    none: nothing does), ``conflict`` (`source` conflicts with the one in `targets`), ``obsoletes`` (it replaces that
    one), ``same`` (two of one name), ``alone`` (`source` conflicts with itself), ``word`` (`source` is a word of the
    recipe, which means one of `targets`).
    """

    kind: str
    source: str
    capability: str
    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The keys chosen, or the facts of each problem."""

    chosen: frozenset[str]
    problems: tuple[tuple[Fact, ...], ...]


def choose(
    candidates: Iterable[Candidate], wanted: Sequence[str], *, favored: Collection[str] = (), recommends: bool = False
) -> Answer:
    """Return the smallest set libsolv finds in which each of `wanted`, a capability, is provided."""
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
    """Return the rules of a libsolv problem's proof as facts, each once, in the order libsolv lists them.

    `by_id` names the solvables that can be chosen.
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
        return None  # of a package that may not be taken whatever it needs
    capability = pool.dep2str(info.dep_id) if info.dep_id and kind != "same" else ""
    targets = _providers(pool, info.dep_id, by_id) if kind in ("asked", "needs") else (target,)
    return Fact(kind=kind, source=source, capability=capability, targets=targets)


def _providers(pool: Any, capability: int, by_id: Mapping[int, str]) -> tuple[str, ...]:
    found = (by_id.get(solvable.id) for solvable in pool.whatprovides(capability)) if capability else ()
    return tuple(sorted(name for name in found if name))
