"""Names like a name that isn't there: the did-you-mean of package names."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_MOST = 3


def near_names(name: str, names: Iterable[str]) -> list[str]:
    """Return up to three of `names` that a user may have meant by `name`, the best first.

    Comparing with sixty thousand names letter by letter takes seconds: only those of about the same length that
    begin alike, or contain the name whole, are looked at.
    """
    head = name[:2].lower()
    alike = [
        other
        for other in names
        if (abs(len(other) - len(name)) <= 3 and other[:2] == head) or (len(name) > 3 and name in other)
    ]
    ranked = sorted(alike, key=lambda other: (-difflib.SequenceMatcher(None, name, other).ratio(), other))
    return ranked[:_MOST]


def near_hint(name: str, names: Iterable[str]) -> str | None:
    """Return the hint an error carries, or None when nothing is near."""
    near = near_names(name, names)
    return f"did you mean {' or '.join(near)}?" if near else None
