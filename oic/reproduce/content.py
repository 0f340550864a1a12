"""Classifies the difference of two versions of a file: a private key, a UUID, a time, random bytes. Pure.

It is a time if each version holds a time within its own build: as text, as seconds since 1970, or in binary.
"""

from __future__ import annotations

import math
import re
import struct
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import TYPE_CHECKING

from oic.image.tree.privatekeys import private_key_in

if TYPE_CHECKING:
    from collections.abc import Iterator

_UUID = re.compile(rb"\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b")
_ID = re.compile(rb"\b[0-9a-f]{32}\b")
_CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----(?:(?!-----).)*-----END CERTIFICATE-----", re.DOTALL)
_PATTERNS = {"a certificate": _CERTIFICATE, "a UUID": _UUID, "an id of 128 bits": _ID}
_TOKEN = re.compile(rb"[A-Za-z0-9+/_-]{16,}={0,2}")
_MIN_LENGTH = 16
"""Shorter sequences of bytes or characters are not called random."""
_BITS_OF_TEXT, _SHARE_OF_BYTES = 3.0, 0.75
"""The minimum Shannon entropy of a random token, in bits per character; the minimum share of distinct bytes."""

_DIGITS = re.compile(rb"(?<!\d)\d{10}(?:\d{3}|\d{6}|\d{9})?(?!\d)")
_DATES = (
    (re.compile(rb"(?<!\d)\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d"), ("%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S")),
    (re.compile(rb"[A-Z][a-z]{2} +\d{1,2} \d\d:\d\d:\d\d (?:UTC |GMT )?\d{4}"), ("%b %d %H:%M:%S %Y",)),
    (re.compile(rb"\d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d"), ("%d %b %Y %H:%M:%S",)),
    (re.compile(rb"(?<!\d)\d{14}(?!\d)"), ("%Y%m%d%H%M%S",)),
    (re.compile(rb"(?<!\d)\d{12}Z"), ("%y%m%d%H%M%SZ",)),
)
_DAYS = (re.compile(rb"(?<!\d)\d{4}-\d\d-\d\d(?!\d)"), re.compile(rb"(?<!\d)20\d{6}(?!\d)"))
_DAY = 86400


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """The start and end of a build by the clock of its programs, in seconds since 1970."""

    start: float
    end: float

    def holds(self, moment: float) -> bool:
        """Tell whether it contains a time, rounded to seconds."""
        return math.floor(self.start) <= moment <= math.ceil(self.end)


def what_differs(first: bytes, second: bytes, spans: tuple[Span, Span]) -> list[str]:
    """Return descriptions of how two versions differ."""
    found = [f"a private key ({kind})"] if (kind := private_key_in(first) or private_key_in(second)) else []
    for name, pattern in _PATTERNS.items():
        if _only_in(pattern, first, second) or _only_in(pattern, second, first):
            found.append(name)
    mine, other = _times_in(first, spans[0]), _times_in(second, spans[1])
    if mine != other and (mine or other):
        found.append("a time")
    if not found and _is_random(first, second):
        found.append("random bytes or a digest" if b"\0" in first + second else "random characters or a digest")
    return found or [f"{_first_difference(first, second)}"]


def _only_in(pattern: re.Pattern[bytes], data: bytes, other: bytes) -> set[bytes]:
    return {*pattern.findall(data)} - {*pattern.findall(other)}


def _first_difference(first: bytes, second: bytes) -> str:
    shorter = min(len(first), len(second))
    at = next((place for place in range(shorter) if first[place] != second[place]), shorter)
    sizes = f"{len(first)} bytes" if len(first) == len(second) else f"{len(first)} and {len(second)} bytes"
    return f"other content from byte {at} on ({sizes})"


def _times_in(data: bytes, span: Span) -> set[int]:
    """Return the times within a build that a file holds, in whole seconds; for a date, midnight."""
    return {*_written_times(data, span), *_binary_times(data, span)}


def _written_times(data: bytes, span: Span) -> Iterator[int]:
    for digits in _DIGITS.findall(data):
        seconds = int(digits[:10])
        if span.holds(seconds):
            yield seconds
    for pattern, formats in _DATES:
        for text in pattern.findall(data):
            moment = _parsed(text.decode().replace("UTC ", "").replace("GMT ", ""), formats)
            if moment is not None and span.holds(moment):
                yield int(moment)
    days = {int(moment // _DAY * _DAY) for moment in (span.start, span.end)}
    for pattern in _DAYS:
        for text in pattern.findall(data):
            moment = _parsed(text.decode().replace("-", ""), ("%Y%m%d",))
            if moment in days:
                yield int(moment)


def _parsed(text: str, formats: tuple[str, ...]) -> float | None:
    for form in formats:
        try:
            return datetime.strptime(" ".join(text.split()), form).replace(tzinfo=UTC).timestamp()
        except ValueError:
            continue
    return None


def _binary_times(data: bytes, span: Span) -> Iterator[int]:
    """Yield 32-bit numbers, in either byte order and at any offset, that are times within the build."""
    for order, top in (("<I", slice(2, 4)), (">I", slice(0, 2))):
        for high in {struct.pack(order, int(moment))[top] for moment in (span.start, span.end)}:
            for found in re.finditer(re.escape(high), data):
                at = found.start() - top.start
                number = data[at : at + 4] if at >= 0 else b""
                if len(number) == 4 and span.holds(seconds := struct.unpack(order, number)[0]):
                    yield seconds


def _is_random(first: bytes, second: bytes) -> bool:
    """Tell whether the differing bytes look random: they are long enough and have enough entropy."""
    tokens = [_only_in(_TOKEN, first, second), _only_in(_TOKEN, second, first)]
    if all(any(_entropy(token) >= _BITS_OF_TEXT for token in side) for side in tokens):
        return True
    if len(first) != len(second):
        return False
    pairs = zip(first, second, strict=True)
    runs = (list(run) for differs, run in groupby(pairs, key=lambda pair: pair[0] != pair[1]) if differs)
    changed = bytes(one for run in runs for one, _ in run)
    distinct = 256 * (1 - math.exp(-len(changed) / 256))  # expected of as many random bytes
    return len(changed) >= _MIN_LENGTH and len({*changed}) >= _SHARE_OF_BYTES * distinct


def _entropy(token: bytes) -> float:
    counts = Counter(token).values()
    return -sum(count / len(token) * math.log2(count / len(token)) for count in counts)
