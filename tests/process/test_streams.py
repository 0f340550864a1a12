"""What a program says, while it runs and after: its pipes, a flood of words, what it leaves running."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

import pytest

from oic import progress
from oic.errors import ToolError
from oic.process import run as door
from oic.process.run import ProgramTimeoutError, run

if TYPE_CHECKING:
    from pathlib import Path


def test_all_input_is_written_and_all_output_is_returned() -> None:
    text = "a line of it\n" * 200_000
    assert run(["cat"], stdin=text).text == text


def test_a_program_need_not_read_its_input() -> None:
    assert run(["true"], stdin="x" * 1_000_000).status == 0


def test_a_program_holds_pipes_and_no_file(tmp_path: Path) -> None:
    said = run(["sh", "-c", "readlink /proc/self/fd/0 /proc/self/fd/1; ls /proc/self/fd"], log=tmp_path / "log").text
    assert [line.partition(":")[0] for line in said.splitlines()[:2]] == ["pipe", "pipe"]
    run(["sh", "-c", "readlink /proc/self/fd/2"], log=tmp_path / "log", capture=False)
    assert (tmp_path / "log").read_text().splitlines()[-1].startswith("pipe:")


def test_output_and_errors_keep_their_order_in_the_log(tmp_path: Path) -> None:
    run(["sh", "-c", "echo 1; echo 2 >&2; echo 3; echo 4 >&2"], log=tmp_path / "log", capture=False)
    assert (tmp_path / "log").read_text().splitlines()[1:] == ["1", "2", "3", "4"]


def test_what_a_program_prints_is_told_in_whole_lines_when_that_is_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    progress.set_wording(lambda text: text.replace("two", "three"))  # a program's own words stay
    script = "printf 'on'; sleep 0.2; printf 'e\\ntwo\\n\\n'; sleep 0.2; printf 'wi\\033[0mth'; printf ' captured'"
    try:
        progress.set_level(progress.DEBUG)
        run(["sh", "-c", script], log=tmp_path / "log", capture=False)
    finally:
        progress.set_level(progress.INFO)
        progress.set_wording(str)
    said = [line.partition("|")[2] for line in capsys.readouterr().err.splitlines()]
    assert said == [" one", " two", " wi\\x1b[0mth captured"]
    run(["sh", "-c", script], log=tmp_path / "log", capture=False)
    assert capsys.readouterr().err == ""


def test_a_failure_shows_what_was_printed_and_nothing_of_the_command(tmp_path: Path) -> None:
    with pytest.raises(ToolError) as caught:
        run(["sh", "-c", "echo one\necho two\nfalse\n"], log=tmp_path / "log", capture=False)
    assert caught.value.message.splitlines() == ["sh failed with status 1:", "    one", "    two"]
    with pytest.raises(ToolError) as caught:
        run(["sh", "-c", "exit 3\n"], log=tmp_path / "log", capture=False)
    assert caught.value.message == "sh failed with status 3 without any output"


def test_too_much_output_is_stopped_while_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "MAX_LOG_BYTES", 1 << 20)
    with pytest.raises(ToolError, match="yes wrote more than 1 MiB of output and was killed"):
        run(["yes"], log=tmp_path / "log", capture=False)
    assert (tmp_path / "log").stat().st_size < 2 << 20


def test_the_caller_ends_processes_that_hold_the_pipes_open(tmp_path: Path) -> None:
    """A daemon that a script starts keeps its standard output; nobody waits for it."""
    note = tmp_path / "pid"

    def leave() -> None:
        os.kill(int(note.read_text()), signal.SIGKILL)

    begun = time.monotonic()
    run(["sh", "-c", f"sleep 300 & echo $! > {note}; echo started"], leave=leave)
    assert time.monotonic() - begun < 200


def test_a_program_without_output_times_out() -> None:
    with pytest.raises(ProgramTimeoutError, match="sleep did not end within 1 s and was killed"):
        run(["sleep", "300"], timeout=1)
