"""Explains why a request has no solution: the facts of libsolv's proofs as sentences, for all package families."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from oic.ospackage.solver import Fact

_MAX_FACTS = 12


def problem_lines(problems: Iterable[tuple[Fact, ...]], near_capability: Callable[[str], str]) -> list[str]:
    """Return a line for each problem; `near_capability` describes what is similar to an unsatisfied capability."""
    return [_line(facts, near_capability) for facts in problems]


def _line(facts: tuple[Fact, ...], near_capability: Callable[[str], str]) -> str:
    """Return the facts, the decisive ones first: unsatisfied dependencies, conflicts, then what leads to them."""
    sentences = [
        text for fact in sorted(_deduplicated(facts), key=_weight) if (text := _sentence(fact, near_capability))
    ]
    if not sentences:
        return "no set of packages satisfies the request"
    more = len(sentences) - _MAX_FACTS
    return "; ".join(dict.fromkeys(sentences[:_MAX_FACTS])) + (f"; and {more} more steps" if more > 0 else "")


def _deduplicated(facts: tuple[Fact, ...]) -> list[Fact]:
    """Leave out the second of two conflicts that both packages declare."""
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


_SENTENCES = {
    "needs": "{source} needs {capability}, which only {targets} provides",
    "conflict": "{source} does not go with {targets} (it conflicts with {capability})",
    "obsoletes": "{source} does not go with {targets} (it obsoletes {capability})",
    "same": "{source} and {targets} cannot both be installed",
    "word": "{source} is asked for, which only {targets} provides",
    "alone": "{source} cannot be installed: it conflicts with {capability}, which it provides itself",
}


def _sentence(fact: Fact, near_capability: Callable[[str], str]) -> str:
    if fact.kind == "needs" and not fact.targets:
        return f"{fact.source} needs {fact.capability}, {near_capability(fact.capability)}"
    if fact.kind == "conflict" and not any(fact.targets):  # with several at once, one of them may be in the set
        return f"{fact.source} conflicts with {fact.capability}"
    text = _SENTENCES.get(fact.kind, "")
    return text.format(source=fact.source, capability=fact.capability, targets=_listed(fact.targets))


def _listed(targets: tuple[str, ...]) -> str:
    first = " or ".join(targets[:4])
    return f"{first} or one of {len(targets) - 4} others" if len(targets) > 4 else first
