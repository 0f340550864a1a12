"""Why there is no answer, in the words of the packages themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from oic.ospackage.solver import Answer, Fact
    from oic.provider.deb.universe import Universe

_MOST = 12


def problem_lines(answer: Answer, universe: Universe) -> list[str]:
    """Return a line for each problem of an answer that is none."""
    return [_line(facts, universe) for facts in answer.problems]


def _line(facts: tuple[Fact, ...], universe: Universe) -> str:
    """Tell the steps, what is decisive first: a dependency nothing satisfies, a conflict, then who wants it."""
    sentences = [text for fact in sorted(_each_once(facts), key=_weight) if (text := _sentence(fact, universe))]
    more = len(sentences) - _MOST
    return "; ".join(dict.fromkeys(sentences[:_MOST])) + (f"; and {more} more steps" if more > 0 else "")


def _each_once(facts: tuple[Fact, ...]) -> list[Fact]:
    """Leave out the other half of a conflict that both sides declare."""
    pairs: set[frozenset[str]] = set()
    kept = []
    for fact in facts:
        pair = frozenset({fact.source, *fact.targets})
        if fact.kind != "conflict" or pair not in pairs:
            kept.append(fact)
        if fact.kind == "conflict":
            pairs.add(pair)
    return kept


def _weight(fact: Fact) -> int:
    if fact.kind == "needs":
        return 0 if not fact.targets else 2
    return 1


def _sentence(fact: Fact, universe: Universe) -> str:
    match fact.kind:
        case "needs" if not fact.targets:
            return f"{fact.source} needs {fact.capability}, {_what_there_is(fact.capability, universe)}"
        case "needs":
            return f"{fact.source} needs {fact.capability}, which only {_listed(fact.targets)} can be"
        case "conflict":
            return f"{fact.source} does not go with {fact.targets[0]} (it conflicts with {fact.capability})"
        case "same":
            return f"{fact.source} and {fact.targets[0]} cannot both be there"
        case _:
            return ""


def _listed(targets: tuple[str, ...]) -> str:
    shown = " or ".join(targets[:4])
    return f"{shown} or one of {len(targets) - 4} others" if len(targets) > 4 else shown


def _what_there_is(capability: str, universe: Universe) -> str:
    names = [alternative.split()[0].partition(":")[0] for alternative in capability.split(" | ")]
    versions = [str(package) for name in names for package in universe.versions(name)]
    return f"but there is only {', '.join(versions)}" if versions else "which no package provides"
