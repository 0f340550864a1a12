# ruff: noqa: INP001  the folders of tests are packages, it is none itself
"""docs/security.md names a test for each promise, and the test is there."""

from __future__ import annotations

import re
from pathlib import Path

PROJECT = Path(__file__).parent.parent


def test_each_promise_has_tests_that_are_there() -> None:
    rows = [line for line in (PROJECT / "docs/security.md").read_text().splitlines() if line.startswith("| ")]
    promises = [row for row in rows if not row.startswith(("| promise", "| when | what"))]
    assert len(promises) > 20
    for row in promises:
        named = re.findall(r"`(tests/[\w/.-]+)`", row.split("|")[-2])
        assert named, row
        assert [name for name in named if not (PROJECT / name).exists()] == [], row
