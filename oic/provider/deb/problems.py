"""Explain why a request has no solution."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from oic.ospackage import problems

if TYPE_CHECKING:
    from oic.ospackage.solver import Answer
    from oic.provider.deb.universe import Universe


def problem_lines(answer: Answer, universe: Universe) -> list[str]:
    """Return a line for each problem of a failed answer."""
    return problems.problem_lines(answer.problems, functools.partial(_available, universe))


def _available(universe: Universe, capability: str) -> str:
    names = [alternative.split()[0].partition(":")[0] for alternative in capability.split(" | ")]
    versions = [str(package) for name in names for package in universe.versions(name)]
    return f"but there is only {', '.join(versions)}" if versions else "which no package provides"
