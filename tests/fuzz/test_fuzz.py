"""Each harness over its seeds, its corpus, and inputs made of these: the same each time, and without atheris."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .catalogue import HARNESSES
from .harness import Finding, Harness, check, limits
from .mutants import mutants_of

if TYPE_CHECKING:
    from collections.abc import Iterable


def problems(harness: Harness, inputs: Iterable[bytes]) -> dict[str, str]:
    found: dict[str, str] = {}
    with limits():
        for data in inputs:
            try:
                check(harness, data)
            except Finding as finding:
                found.setdefault(finding.place, f"{data[:200]!r}: {finding}")
    return found


@pytest.mark.parametrize("name", HARNESSES)
def test_what_is_kept_breaks_no_rule(name: str) -> None:
    assert problems(HARNESSES[name], HARNESSES[name].kept()) == {}


@pytest.mark.parametrize("name", HARNESSES)
def test_what_is_made_of_it_breaks_no_rule(name: str) -> None:
    harness = HARNESSES[name]
    assert problems(harness, mutants_of(harness.kept(), harness.mutants, name, harness.most)) == {}
