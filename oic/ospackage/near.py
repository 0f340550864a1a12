"""Finds package names that are similar to an unknown one, for did-you-mean hints."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_MAX_NAMES = 3


def near_names(name: str, names: Iterable[str]) -> list[str]:
    """Return up to three of `names` that are similar to `name`, the most similar first.

    Comparing with sixty thousand names takes seconds. Therefore only names of about the same length with the same first
    letters, and names that contain `name`, are compared.
    """
    head = name[:2].lower()
    candidates = [
        other
        for other in names
        if (abs(len(other) - len(name)) <= 3 and other[:2] == head) or (len(name) > 3 and name in other)
    ]
    ranked = sorted(candidates, key=lambda other: (-difflib.SequenceMatcher(None, name, other).ratio(), other))
    return ranked[:_MAX_NAMES]


def near_hint(name: str, names: Iterable[str]) -> str | None:
    """Return a hint for an error message, or None when no name is similar."""
    near = near_names(name, names)
    return f"did you mean {' or '.join(near)}?" if near else None
