"""A bar where a terminal is, plain lines elsewhere, both under doit."""

from __future__ import annotations

import io
import os
import pty
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from oic.progress import Lines, progress

if TYPE_CHECKING:
    from pathlib import Path

DODO = """
import sys
from oic.progress import progress

def work():
    with progress("download", 3_000_000, 3) as bar:
        for item in "abc":
            bar.advance(1_000_000)
            bar.done(item)
    print("rich" in sys.modules)

def task_work():
    return {"actions": [work], "verbosity": 2}
"""


def run_doit(place: Path, *, terminal: bool) -> str:
    (place / "dodo.py").write_text(DODO)
    ours, theirs = pty.openpty() if terminal else os.pipe()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "120"}
    command = [sys.executable, "-m", "doit"]
    try:
        subprocess.run(command, cwd=place, stdout=theirs, stderr=theirs, env=environment, check=True)
    finally:
        os.close(theirs)
    text = b""
    with open(ours, "rb", buffering=0) as reader:
        try:
            while piece := reader.read(4096):
                text += piece
        except OSError:  # how a terminal says that its other end is gone
            pass
    return text.decode()


def test_a_terminal_gets_a_bar(tmp_path: Path) -> None:
    text = run_doit(tmp_path, terminal=True)
    assert "━" in text
    assert "3/3" in text
    assert "3.0/3.0 MB" in text


def test_elsewhere_there_are_plain_lines_and_rich_is_not_loaded(tmp_path: Path) -> None:
    text = run_doit(tmp_path, terminal=False)
    assert text.splitlines()[1:] == [
        "download: 0/3, 1.0/3.0 MB",
        "download: 1/3, 2.0/3.0 MB",
        "download: 2/3, 3.0/3.0 MB",
        "download: 3/3, 3.0/3.0 MB",
        "False",
    ]


def test_a_dumb_terminal_gets_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(stream, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("TERM", "dumb")
    with progress("download", 100, 1) as bar:
        bar.advance(100)
        bar.done("a")
    assert stream.getvalue().splitlines()[-1] == "download: 1/1, 0.0/0.0 MB"


def test_a_line_comes_with_each_tenth_not_with_each_byte() -> None:
    stream = io.StringIO()
    lines = Lines(title="download", total_bytes=1000, total_items=1, stream=stream)
    for _ in range(1000):
        lines.advance(1)
    lines.done("a")
    lines.finish()
    assert len(stream.getvalue().splitlines()) <= 11


def test_an_empty_job_is_no_division_by_zero() -> None:
    stream = io.StringIO()
    lines = Lines(title="download", total_bytes=0, total_items=0, stream=stream)
    lines.advance(0)
    lines.finish()
    assert stream.getvalue() == "download: 0/0, 0.0/0.0 MB\n"


@pytest.mark.parametrize("terminal", [True, False])
def test_threads_may_report_together(terminal: bool, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: FBT001
    stream = io.StringIO()
    monkeypatch.setattr(stream, "isatty", lambda: terminal)
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("TERM", "xterm")

    with progress("download", 4_000_000, 400) as bar:

        def report() -> None:
            for _ in range(100):
                bar.advance(10_000)
                bar.done("a")

        threads = [threading.Thread(target=report) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert "400/400" in stream.getvalue()
    assert "4.0/4.0 MB" in stream.getvalue()
