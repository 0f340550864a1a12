"""Runs tests and prints each line of oic that none of them reached: ``python -m tests.reach [PYTEST ARGUMENTS]``."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import coverage

PROJECT = Path(__file__).parents[2]
FOLDERS = ("boottest", "chroot", "config", "image", "net", "ospackage", "process", "provider", "reproduce", "stages")


def main() -> int:
    """Return pytest's exit status."""
    tests = sys.argv[1:] or ["-m", "not slow", *(f"tests/{folder}" for folder in FOLDERS)]
    with tempfile.TemporaryDirectory() as results:
        Path(results).chmod(0o1777)  # some tests are run by another user
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent), "OIC_REACH": results}
        argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests]
        status = subprocess.run(argv, cwd=PROJECT, env=environment, check=False).returncode
        found = coverage.CoverageData(no_disk=True)
        for data in (file.read_bytes() for file in Path(results).iterdir()):
            if data:  # else the process was killed while it wrote
                one = coverage.CoverageData(no_disk=True)
                one.loads(data)
                found.update(one)
        report(found)
    return status


def report(found: coverage.CoverageData) -> None:
    """Print the lines of each module that were not reached."""
    total = missed = 0
    for path in sorted((PROJECT / "oic").rglob("*.py")):
        measured = coverage.Coverage(data_file=None, config_file=False)
        measured.get_data().update(found)
        _, statements, _, lines, text = measured.analysis2(str(path))
        total, missed = total + len(statements), missed + len(lines)
        if lines:
            print(f"{path.relative_to(PROJECT)}: {text}")  # noqa: T201 - the result
    print(f"{missed} of {total} lines not reached")  # noqa: T201


sys.exit(main())
