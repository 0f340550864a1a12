"""Measures the time of a program, and the most memory that it and all its descendants use at once.

* Memory is proportional set size (Linux Documentation/filesystems/proc.rst, ``smaps_rollup``): pages that forked
  processes share count once. The sum over the process tree is taken twenty times a second, so shorter peaks are missed.
* Page cache and tmpfs are not counted.
* The output of the program says when a phase begins; without such output, the whole run is one phase.
"""

from __future__ import annotations

import os
import subprocess
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

INTERVAL = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """The time in seconds, and the peak of memory in bytes."""

    seconds: float
    peak: int


@dataclass(slots=True)
class _Watch:
    phase: str
    since: float
    seconds: dict[str, float] = field(default_factory=dict)
    peaks: dict[str, int] = field(default_factory=dict)

    def turn(self, phase: str) -> None:
        """End the current phase and begin another one."""
        now = time.monotonic()
        self.seconds[self.phase] = self.seconds.get(self.phase, 0.0) + now - self.since
        self.phase, self.since = phase, now

    def sample(self, found: int) -> None:
        """Record the memory in bytes if it is the highest of the current phase."""
        self.peaks[self.phase] = max(found, self.peaks.get(self.phase, 0))


def measured(
    argv: Sequence[str],
    log: Path,
    *,
    env: Mapping[str, str] | None = None,
    phase_of: Callable[[str], str | None] = lambda _: None,
) -> dict[str, Cost]:
    """Run a program to its end; return the cost of each phase, and of all under the key ``""``.

    `phase_of` returns the phase that begins with a line of output. The output goes to `log`; a failure ends the
    benchmark.
    """
    start = time.monotonic()
    watch = _Watch("before", start)
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=env, text=True)
    reader = threading.Thread(target=_read, args=(process, log, watch, phase_of))
    reader.start()
    try:
        while process.poll() is None:
            watch.sample(_memory(process.pid))
            time.sleep(INTERVAL)
    finally:  # an interrupted benchmark leaves nothing running
        process.terminate()
        reader.join()
        process.wait()
    watch.turn("after")
    if process.returncode:
        raise SystemExit(f"{argv[0]} ended with status {process.returncode}; its output: {log}")
    costs = {name: Cost(seconds=spent, peak=watch.peaks.get(name, 0)) for name, spent in watch.seconds.items()}
    return {**costs, "": Cost(seconds=time.monotonic() - start, peak=max(watch.peaks.values()))}


def _read(process: subprocess.Popen[str], log: Path, watch: _Watch, phase_of: Callable[[str], str | None]) -> None:
    with log.open("w", encoding="utf-8") as file:
        for line in process.stdout or ():
            file.write(line)
            if phase := phase_of(line):
                watch.turn(phase)


def _memory(pid: int) -> int:
    """Return the memory that a process and its descendants use now, in bytes."""
    children = _children()
    todo, total = [pid], 0
    while todo:
        one = todo.pop()
        todo += children.get(one, [])
        with suppress(OSError):  # it has just ended
            for line in Path(f"/proc/{one}/smaps_rollup").read_bytes().splitlines():
                if line.startswith(b"Pss:"):
                    total += int(line.split()[1]) * 1024
    return total


def _children() -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        with suppress(OSError):
            status = Path(f"/proc/{name}/stat").read_bytes()
            parent = int(status.rpartition(b")")[2].split()[1])  # proc(5): the name before may hold anything
            found.setdefault(parent, []).append(int(name))
    return found
