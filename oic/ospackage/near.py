"""Finds package names that are similar to an unknown one, for did-you-mean hints."""

from __future__ import annotations

import difflib
import string
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_MAX_NAMES = 3
_LETTERS = f"{string.ascii_lowercase}{string.digits}+-."


def near_names(name: str, names: Iterable[str]) -> list[str]:
    """Return up to three of `names` that are similar to `name`, the most similar first.

    Comparing with sixty thousand names takes seconds. Therefore only names of about the same length with the same first
    letters, and names that contain `name`, are compared; those that one slip of the fingers leads from are looked up.
    """
    known = set(names)
    head = name[:2].lower()
    candidates = {
        other
        for other in known
        if (abs(len(other) - len(name)) <= 3 and other[:2] == head) or (len(name) > 3 and name in other)
    }
    swapped = set(_swapped(name)) & known
    close = {*swapped, *(known & set(_with_a_slip(name)))} if len(name) > 2 else swapped

    def rank(other: str) -> tuple[bool, bool, float, str]:
        likeness = difflib.SequenceMatcher(None, name, other).ratio()
        return other not in swapped, other not in close, -likeness, other

    return sorted(candidates | close, key=rank)[:_MAX_NAMES]


def _swapped(name: str) -> Iterator[str]:
    """Yield the texts that differ from `name` by two neighbouring letters that have changed places."""
    for at in range(len(name) - 1):
        yield name[:at] + name[at + 1] + name[at] + name[at + 2 :]


def _with_a_slip(name: str) -> Iterator[str]:
    """Yield the texts that differ from `name` by one letter too many, too few, or another one."""
    for at in range(len(name) + 1):
        yield name[:at] + name[at + 1 :]
        for letter in _LETTERS:
            yield name[:at] + letter + name[at:]
            yield name[:at] + letter + name[at + 1 :]


def near_hint(name: str, names: Iterable[str]) -> str | None:
    """Return a hint for an error message, or None when no name is similar."""
    near = near_names(name, names)
    return f"did you mean {' or '.join(near)}?" if near else None
