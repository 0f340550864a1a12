"""rpm's order of versions (rpm-version(7)): segments of digits or letters; ``~`` sorts first, ``^`` after the end."""

from __future__ import annotations

import re

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]*")
EVR = re.compile(r"(?:[0-9]+:)?[A-Za-z0-9._+~^]+-[A-Za-z0-9._+~^]+")

_SEGMENT = re.compile(r"[0-9]+|[a-zA-Z]+|~|\^")


def vercmp(one: str, two: str) -> int:
    """Return -1, 0 or 1 when the first version or release is older than the second, equal to it, or newer."""
    ours, theirs = _SEGMENT.findall(one), _SEGMENT.findall(two)
    for number in range(max(len(ours), len(theirs))):
        left = ours[number] if number < len(ours) else ""
        right = theirs[number] if number < len(theirs) else ""
        if found := _compared(left, right):
            return found
    return 0


def _compared(left: str, right: str) -> int:
    """Compare two segments; one is empty after the end of its version."""
    if left == right:
        return 0
    if "~" in (left, right):
        return -1 if left == "~" else 1
    if not left or not right:
        return 1 if left else -1
    if "^" in (left, right):
        return -1 if left == "^" else 1
    if left.isdecimal() != right.isdecimal():
        return 1 if left.isdecimal() else -1
    return _ordered(left, right)


def _ordered(left: str, right: str) -> int:
    keys = (left, right)
    if left.isdecimal():  # compared as text, because Python limits the digits of numbers
        keys = tuple((len(text), text) for text in (left.lstrip("0"), right.lstrip("0")))  # type: ignore[assignment]
    return (keys[0] > keys[1]) - (keys[0] < keys[1])


def split_evr(text: str) -> tuple[int, str, str]:
    """Return epoch, version and release of ``[epoch:]version[-release]``; the epoch is 0 where there is none."""
    epoch, colon, rest = text.partition(":")
    version, _, release = (rest if colon else text).partition("-")
    return (int(epoch) if colon and re.fullmatch("[0-9]{1,10}", epoch) else 0), version, release


def evrcmp(one: str, two: str) -> int:
    """Compare ``[epoch:]version[-release]``; without a release, a version is older than with one."""
    left, right = split_evr(one), split_evr(two)
    if left[0] != right[0]:
        return 1 if left[0] > right[0] else -1
    released = (bool(left[2]), bool(right[2]))
    return vercmp(left[1], right[1]) or (vercmp(left[2], right[2]) if all(released) else released[0] - released[1])
