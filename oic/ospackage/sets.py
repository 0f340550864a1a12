"""Solves the package sets of a request, and reports the problems of all of them together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oic.errors import SolveError
from oic.ospackage.lock import Lock
from oic.ospackage.origin import locked_indexes, locked_repositories
from oic.values import digest_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from oic.handover.packages import Index
    from oic.ospackage.lock import AskedSet, LockedPackage, Request


def solve_request(
    index: Index, request: Request, solve_set: Callable[[AskedSet, bool], tuple[LockedPackage, ...]]
) -> Lock:
    """Solve a request and return the lock; `solve_set` takes a set and whether to include recommended packages.

    Raises SolveError with a line for each problem of each set.
    """
    sets = {}
    problems = []
    for name, asked in sorted(request.sets.items()):
        # Tools get no recommended packages: they are only unpacked to run their programs.
        recommends = request.recommends and asked.essential
        try:
            sets[name] = solve_set(asked, recommends)
        except SolveError as error:
            problems += [f"{name}: {line}" for line in str(error).splitlines()]
    if problems:
        raise SolveError("\n".join(problems))
    return Lock(
        request=digest_of(request),
        asked=request,
        repositories=locked_repositories(index.repositories),
        sets=sets,
        indexes=locked_indexes(index.repositories),
    )
