"""``python -m fuzz run|replay|keep``, with ``tests`` on the path: see docs/fuzzing.md.

run [--seconds N] [NAME…]   each harness, one after the other, for N seconds or its own time; needs atheris
replay NAME FILE…           inputs through a harness, without atheris
keep [NAME…]                the inputs of past runs that together reach most, to the corpus
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from fuzz.catalogue import HARNESSES
from fuzz.corpus import keep
from fuzz.harness import HERE, Finding, check, limits

_ROW = "{:<18} {:>11} {:>9} {:>9} {:>9} {:>9}\n"


def main(words: list[str]) -> int:
    """Do what the command line says; return the exit status."""
    command, *rest = words or [""]
    if command == "run":
        seconds = rest[1] if rest[:1] == ["--seconds"] else ""
        return run(rest[2:] if seconds else rest, seconds)
    if command == "replay" and len(rest) > 1:
        return replay(rest[0], rest[1:])
    if command == "keep":
        for name in rest or HARNESSES:
            sys.stdout.write(f"{name}: {keep(HARNESSES[name])} inputs\n")
        return 0
    sys.stderr.write(f"{__doc__}\nharnesses: {', '.join(HARNESSES)}\n")
    return 2


def run(names: list[str], seconds: str) -> int:
    """Fuzz harness by harness and print a row for each."""
    if unknown := [name for name in names if name not in HARNESSES]:
        sys.stderr.write(f"no harness {', '.join(unknown)}: there are {', '.join(HARNESSES)}\n")
        return 2
    sys.stdout.write(_ROW.format("harness", "executions", "seconds", "a second", "coverage", "findings"))
    found = 0
    environment = {**os.environ, "TMPDIR": "/dev/shm"}  # some write a file for each input
    for name in names or HARNESSES:
        command = [sys.executable, "-m", "fuzz.engine", name, seconds or str(HARNESSES[name].fuzz_seconds)]
        log = HERE / "work" / f"{name}.log"
        log.parent.mkdir(exist_ok=True)
        before = _findings(name)
        with log.open("wb") as output:
            status = subprocess.run(command, stdout=output, stderr=output, check=False, env=environment).returncode
        new = sorted(_findings(name) - before)
        text = log.read_text(errors="replace")
        executions, took = _done(text)
        speed = executions // max(1, took)
        sys.stdout.write(_ROW.format(name, executions, took, speed, _coverage(text), len(new)))
        if status and not new:
            sys.stdout.write(f"    ended with status {status}: see {log}\n")
        for file in new:
            sys.stdout.write(f"    PYTHONPATH=tests {sys.executable} -m fuzz replay {name} {file}\n")
        sys.stdout.flush()
        found += len(new) or bool(status)
    return 1 if found else 0


def replay(name: str, files: list[str]) -> int:
    """Run inputs of files; say what is wrong with each."""
    status = 0
    with limits():
        for file in files:
            try:
                check(HARNESSES[name], Path(file).read_bytes())
            except Finding as finding:
                status = 1
                sys.stdout.write(f"{file}: {finding}\n")
    return status


def _findings(name: str) -> set[Path]:
    """Return the findings that are there; what libFuzzer itself writes has a word before the digest."""
    pattern = re.compile(rf"{re.escape(name)}-((crash|timeout|oom|leak)-)?[0-9a-f]+")
    return {file for file in (HERE / "findings").glob("*") if pattern.fullmatch(file.name)}


def _done(log: str) -> tuple[int, int]:
    """Return executions and seconds: of the last line, or of the last that says how far it is."""
    if match := re.search(r"^Done (\d+) runs? in (\d+) second", log, re.MULTILINE):
        return int(match[1]), int(match[2])
    counts = re.findall(r"^#(\d+)\s", log, re.MULTILINE)
    return (int(counts[-1]) if counts else 0), 0


def _coverage(log: str) -> str:
    """Return the coverage of the seeds, and what came to it."""
    found = [int(number) for number in re.findall(r"\bcov: (\d+)", log)]
    return f"{found[0]}+{found[-1] - found[0]}" if found else "?"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
