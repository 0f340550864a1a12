"""Which inputs of past runs are worth keeping: few and small ones that reach, between them, most of the product."""

from __future__ import annotations

import contextlib
import hashlib
import sys
from typing import TYPE_CHECKING

from fuzz.harness import HERE, Finding, Harness, check

if TYPE_CHECKING:
    from pathlib import Path
    from types import FrameType

    from _typeshed import TraceFunction

_MOST_FILES = 24
_MOST_BYTES = 2048
_PRODUCT = str(HERE.parents[1] / "oic")
Line = tuple[str, int, int]


def keep(harness: Harness) -> int:
    """Choose from ``work/`` what adds to the seeds, and write it to the corpus; return how many there are."""
    reached = set[Line]().union(*(lines_of(harness, data) for data in harness.seeds()))
    there = [*harness.corpus.glob("*"), *(HERE / "work" / harness.name).glob("*")]
    inputs = {file.read_bytes() for file in there if file.stat().st_size <= _MOST_BYTES}
    left = {data: lines_of(harness, data) - reached for data in sorted(inputs, key=lambda data: (len(data), data))}
    chosen: list[bytes] = []
    while left and len(chosen) < _MOST_FILES:
        best = max(left, key=lambda data: len(left[data]))  # of several the first, which is the smallest
        gained = left.pop(best)
        if not gained:
            break
        chosen.append(best)
        left = {data: rest for data, lines in left.items() if (rest := lines - gained)}
    _write(harness.corpus, chosen)
    return len(chosen)


def _write(folder: Path, inputs: list[bytes]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    wanted = {hashlib.sha256(data).hexdigest()[:16]: data for data in inputs}
    for file in folder.glob("*"):
        if file.name not in wanted and not file.name.startswith("finding-"):
            file.unlink()
    for name, data in wanted.items():
        (folder / name).write_bytes(data)


def lines_of(harness: Harness, data: bytes) -> set[Line]:
    """Return the steps from line to line of the product that an input makes it take."""
    steps: set[Line] = set()

    def in_function(frame: FrameType, event: str, _: object) -> TraceFunction | None:
        file = frame.f_code.co_filename
        if not file.startswith(_PRODUCT):
            return None
        before = frame.f_lineno

        def step(frame: FrameType, event: str, _: object) -> TraceFunction | None:
            nonlocal before
            if event == "line":
                steps.add((file, before, frame.f_lineno))
                before = frame.f_lineno
            return step

        return step if event == "call" else None

    sys.settrace(in_function)
    try:
        with contextlib.suppress(Finding):
            check(harness, data)
    finally:
        sys.settrace(None)
    return steps
