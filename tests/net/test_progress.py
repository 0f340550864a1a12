"""How work under way is told: events for a display, plain lines elsewhere."""

from __future__ import annotations

import contextlib
import io
import os
import threading
from typing import TYPE_CHECKING

import msgspec
import pytest

from oic.bars import Lines, progress_bar
from oic.progress import Doing, Event, Line, begin, connect, send, tell

if TYPE_CHECKING:
    from collections.abc import Iterator


def test_without_a_terminal_there_are_plain_lines(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar("download", 3_000_000, 3) as bar:
        for item in "abc":
            bar.advance(1_000_000)
            bar.done(item)
    assert capsys.readouterr().err.splitlines() == [
        "download: 0/3, 1.0/3.0 MB",
        "download: 1/3, 2.0/3.0 MB",
        "download: 2/3, 3.0/3.0 MB",
        "download: 3/3, 3.0/3.0 MB",
    ]


@pytest.fixture
def pipe() -> Iterator[int]:
    """The reading end of a pipe that events go to."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    connect(writer, -1)
    begin("download:edge")
    yield reader
    connect(-1, -1)
    begin("")
    os.close(reader)
    with contextlib.suppress(OSError):
        os.close(writer)


def events_in(reader: int) -> list[Event]:
    return [msgspec.json.decode(line, type=Event) for line in os.read(reader, 1 << 20).splitlines()]


def test_a_display_gets_events(pipe: int) -> None:
    with progress_bar("download", 3_000_000, 3) as bar:
        for item in "abc":
            bar.advance(1_000_000)
            bar.done(item)
    *_, last = events_in(pipe)
    assert last == Doing(task="download:edge", text="3/3", done=3_000_000, total=3_000_000, unit="B")


def test_a_line_for_the_display_holds_nothing_that_a_terminal_obeys(pipe: int) -> None:
    tell("one\x1b[2J\ntwo", "done")
    assert events_in(pipe) == [Line(text="one\\x1b[2J", kind="done"), Line(text="two", kind="done")]


def test_nobody_waits_for_a_display_that_does_not_read(pipe: int) -> None:
    assert pipe
    with progress_bar("download", 1 << 30, 1 << 20) as bar:
        for _ in range(1 << 12):
            bar.done("x" * 100)
            tell_quickly = Doing(task="download:edge", text="x" * 400)
            send(tell_quickly)


def test_a_display_that_is_gone_costs_its_lines(pipe: int, capsys: pytest.CaptureFixture[str]) -> None:
    os.close(pipe)
    tell("lost")
    tell("not lost")
    assert capsys.readouterr().err == "not lost\n"
    os.dup2(os.open(os.devnull, os.O_RDONLY), pipe)  # for the fixture to close


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


def test_threads_may_report_together(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar("download", 4_000_000, 400) as bar:

        def report() -> None:
            for _ in range(100):
                bar.advance(10_000)
                bar.done("a")

        threads = [threading.Thread(target=report) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert capsys.readouterr().err.endswith("download: 400/400, 4.0/4.0 MB\n")
