"""The order of Debian versions, as a sort key.

* ``[epoch:]upstream[-revision]`` is compared part by part as in deb-version(7): alternating runs of non-digits and
  digits; ``~`` sorts before the end of a part, the end before letters, letters before everything else.
* Any text has a place in the order, so that no version from a mirror can crash a sort.
"""

from __future__ import annotations

import functools
import re

_RUNS = re.compile(r"([^0-9]*)([0-9]*)")
_END = (0,)

Key = tuple[tuple[object, ...], ...]


@functools.lru_cache(maxsize=1 << 16)
def version_key(version: str) -> Key:
    """Return a value that compares as dpkg compares `version`."""
    epoch, colon, rest = version.partition(":")
    if not colon:
        epoch, rest = "", version
    upstream, dash, revision = rest.rpartition("-")
    if not dash:
        upstream, revision = rest, ""
    return (_number(epoch), _part(upstream), _part(revision))


def satisfies(version: str, operator: str, wanted: str) -> bool:
    """Tell whether `version` compares to `wanted` as `operator` says (``<<``, ``<=``, ``=``, ``>=``, ``>>``)."""
    ours, theirs = version_key(version), version_key(wanted)
    match operator:
        case "=":
            return ours == theirs
        case ">=":
            return ours >= theirs
        case "<=":
            return ours <= theirs
        case ">>":
            return ours > theirs
        case "<<":
            return ours < theirs
        case _:
            raise ValueError(operator)


def _part(text: str) -> tuple[object, ...]:
    key: list[object] = []
    for letters, digits in _RUNS.findall(text or "0"):
        if letters or digits:
            key += [(*map(_weight, letters), 0), _number(digits)]
    return (*key, _END)


def _number(digits: str) -> tuple[int, str]:
    """Return a key that compares digits as a number; Python refuses to parse very long ones."""
    significant = digits.lstrip("0")
    return (len(significant), significant)


def _weight(letter: str) -> int:
    if letter == "~":
        return -1
    return ord(letter) if letter.isascii() and letter.isalpha() else ord(letter) + 256
