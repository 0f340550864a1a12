"""What ``allowPackages`` of a repository names and the repository does not have."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def missing_lines(repository: str, allowed: Sequence[str], missing: Sequence[str]) -> Iterator[str]:
    """Yield a line for each missing one, or one for a repository that has nothing of what is allowed."""
    if allowed and len(missing) == len(allowed):
        yield f"{repository}: nothing is taken from it, as it has no package of its allowPackages: {' '.join(allowed)}"
        return
    for word in missing:
        yield f"{repository}: {word} of allowPackages is none of its packages"
