"""Why there is no answer, in the words of the packages themselves."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from oic.ospackage import problems

if TYPE_CHECKING:
    from oic.ospackage.solver import Answer
    from oic.provider.deb.universe import Universe


def problem_lines(answer: Answer, universe: Universe) -> list[str]:
    """Return a line for each problem of an answer that is none."""
    return problems.problem_lines(answer.problems, functools.partial(_what_there_is, universe))


def _what_there_is(universe: Universe, capability: str) -> str:
    names = [alternative.split()[0].partition(":")[0] for alternative in capability.split(" | ")]
    versions = [str(package) for name in names for package in universe.versions(name)]
    return f"but there is only {', '.join(versions)}" if versions else "which no package provides"
