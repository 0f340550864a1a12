"""Why there is no answer, in words: the facts of libsolv's proofs as sentences, whatever the package family."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from oic.ospackage.solver import Fact

_MOST = 12


def problem_lines(problems: Iterable[tuple[Fact, ...]], what_there_is: Callable[[str], str]) -> list[str]:
    """Return a line for each problem; `what_there_is` tells of a capability that nothing satisfies what comes near."""
    return [_line(facts, what_there_is) for facts in problems]


def _line(facts: tuple[Fact, ...], what_there_is: Callable[[str], str]) -> str:
    """Tell the steps, what is decisive first: a dependency nothing satisfies, a conflict, then who wants it."""
    sentences = [text for fact in sorted(_each_once(facts), key=_weight) if (text := _sentence(fact, what_there_is))]
    if not sentences:
        return "no set of packages answers the request"
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


_SENTENCES = {
    "needs": "{source} needs {capability}, which only {targets} can be",
    "conflict": "{source} does not go with {targets} (it conflicts with {capability})",
    "obsoletes": "{source} does not go with {targets} (it obsoletes {capability})",
    "same": "{source} and {targets} cannot both be there",
    "word": "{source} is asked for, which only {targets} can be",
    "alone": "{source} cannot be installed: it conflicts with {capability}, which it is itself",
}


def _sentence(fact: Fact, what_there_is: Callable[[str], str]) -> str:
    if fact.kind == "needs" and not fact.targets:
        return f"{fact.source} needs {fact.capability}, {what_there_is(fact.capability)}"
    if fact.kind == "conflict" and not any(fact.targets):  # with several at once: one of them may well be there
        return f"{fact.source} conflicts with {fact.capability}"
    text = _SENTENCES.get(fact.kind, "")
    return text.format(source=fact.source, capability=fact.capability, targets=_listed(fact.targets))


def _listed(targets: tuple[str, ...]) -> str:
    shown = " or ".join(targets[:4])
    return f"{shown} or one of {len(targets) - 4} others" if len(targets) > 4 else shown
