"""Sessions on a terminal of 80 and of 140 columns: what runs, what is reused, a failure, an interrupt."""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING

import pytest
from e2e.conftest import bench, distributions, packages, signers, tiny

from .conftest import OIC
from .terminal import Terminal

if TYPE_CHECKING:
    from e2e.bench import Bench
    from e2e.tiny import Tiny
    from net.mirror import Request

__all__ = ["bench", "distributions", "packages", "signers", "tiny"]


@pytest.fixture(params=[80, 140])
def columns(request: pytest.FixtureRequest) -> int:
    width: int = request.param
    return width


def session(bench: Bench, columns: int, *words: str) -> Terminal:
    argv = [OIC, *words, "small.yml", f"cache={bench.cache}"]
    return Terminal(argv=argv, cwd=bench.place, environment=bench.variables(), columns=columns)


def test_a_run_leaves_a_line_for_each_stage_and_another_says_what_is_reused(bench: Bench, columns: int) -> None:
    first = session(bench, columns, "verify")
    assert first.finish() == 0
    assert [line.split()[0] for line in first.shown.splitlines()] == ["metadata", "solve", "download", "verify"]
    assert all(re.search(r" \(\d+\.\d s\)$", line) for line in first.shown.splitlines()), first.shown
    assert b"\x1b[32m" in first.raw, "a stage that is done is green"
    second = session(bench, columns, "verify")
    assert second.finish() == 0
    assert second.shown.splitlines() == [f"  {name:9} reused" for name in ("metadata", "solve", "download", "verify")]


def test_what_runs_is_shown_all_the_time(bench: Bench, tiny: Tiny, columns: int) -> None:
    path = tiny.package("hello_1").path
    body, going_on = tiny.body(path), threading.Event()

    def slowly(request: Request) -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        request.socket.sendall(head + body[:10])
        going_on.wait(60)
        request.socket.sendall(body[10:])

    tiny.mirror.answers[path] = slowly
    terminal = session(bench, columns, "download")
    terminal.until("download  6/7", seconds=60)
    terminal.silences.clear()
    terminal.read(4)
    live = terminal.shown.splitlines()[-1]
    assert re.search(r"download +6/7 .*━.* MB +0:00:\d\d$", live), live
    assert len(live) == columns
    assert max(terminal.silences) < 1
    going_on.set()
    assert terminal.finish() == 0
    assert "━" not in terminal.shown


def test_a_failure_is_the_last_thing_that_is_seen(bench: Bench, tiny: Tiny, columns: int) -> None:
    tiny.serve(tiny.package("hello_1").path, b"something else")
    terminal = session(bench, columns, "verify")
    assert terminal.finish() == 1
    shown = " ".join(terminal.shown.split())
    assert "download:small failed: " in shown
    assert "verify" not in shown
    assert "Traceback" not in shown
    assert "━" not in shown
    assert b"\x1b[1;31m" in terminal.raw, "a failure is red"


def test_an_interrupt_says_so_once_and_what_is_done_stays(bench: Bench, tiny: Tiny, columns: int) -> None:
    stopped = threading.Event()
    body = tiny.body(tiny.package("hello_1").path)

    def never(_: Request) -> None:
        stopped.wait(60)

    tiny.mirror.answers[tiny.package("hello_1").path] = never
    terminal = session(bench, columns, "verify")
    terminal.until("download  6/7", seconds=60)
    terminal.process.sendintr()
    assert terminal.finish() == 130
    stopped.set()
    assert terminal.shown.count("stopped: what is finished stays") == 1
    assert "Traceback" not in terminal.shown
    tiny.serve(tiny.package("hello_1").path, body)
    again = session(bench, columns, "verify")
    assert again.finish() == 0
    assert re.findall(r"(\w+) +reused", again.shown) == ["metadata", "solve"]


def test_no_color_is_heeded(bench: Bench) -> None:
    argv = ["env", "NO_COLOR=1", OIC, "verify", "small.yml", f"cache={bench.cache}"]
    terminal = Terminal(argv=argv, cwd=bench.place, environment=bench.variables(), columns=80)
    assert terminal.finish() == 0
    assert not re.search(rb"\x1b\[[0-9;]*3[0-9]m", terminal.raw)
