from __future__ import annotations

import os
from pathlib import Path

import pytest

from installer.machine import STICK, make_machine
from oic.installer import door
from oic.installer.disks import medium_device
from oic.installer.ending import eject, leave
from oic.installer.log import close_log, open_log
from oic.installer.screen import Screen, consoles_of, progress_line


def test_the_consoles_are_those_of_the_kernel(tmp_path: Path) -> None:
    assert consoles_of(tmp_path, Path("/dev")) == []
    (tmp_path / "class/tty/console").mkdir(parents=True)
    (tmp_path / "class/tty/console/active").write_text("tty0 ttyS0\n")
    assert consoles_of(tmp_path, Path("/dev")) == [Path("/dev/tty0"), Path("/dev/ttyS0")]


def test_every_console_gets_every_line_and_a_missing_one_is_passed_over(tmp_path: Path) -> None:
    for name in ("tty0", "ttyS0"):
        (tmp_path / name).touch()
    screen = Screen([tmp_path / "tty0", tmp_path / "gone", tmp_path / "ttyS0"])
    screen.say("one\ntwo\x1b[2J")
    for name in ("tty0", "ttyS0"):
        assert (tmp_path / name).read_bytes() == b"one\r\ntwo\\x1b[2J\r\n"


def test_a_console_that_nobody_reads_stops_nothing(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "ttyS0")
    reader = os.open(tmp_path / "ttyS0", os.O_RDONLY | os.O_NONBLOCK)
    screen = Screen([tmp_path / "ttyS0"])
    for _ in range(2000):
        screen.say("x" * 100)
    os.close(reader)


def test_without_consoles_standard_output_has_the_lines(capfd: pytest.CaptureFixture[str]) -> None:
    Screen().say("one")
    assert capfd.readouterr().out == "one\n"


def test_progress_is_a_line_a_second_at_most_and_one_at_the_end(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]
    monkeypatch.setattr("oic.installer.screen.time.monotonic", lambda: clock[0])
    advance = Screen().progress("Writing", 3_400_000_000)
    for _ in range(340):
        clock[0] += 1 / 64
        advance(10_000_000)
    assert capfd.readouterr().out.splitlines() == [
        "Writing   18 %, 640 of 3400 MB, 640 MB/s",
        "Writing   37 %, 1280 of 3400 MB, 640 MB/s",
        "Writing   56 %, 1920 of 3400 MB, 640 MB/s",
        "Writing   75 %, 2560 of 3400 MB, 640 MB/s",
        "Writing   94 %, 3200 of 3400 MB, 640 MB/s",
        "Writing  100 %, 3400 of 3400 MB, 640 MB/s",
    ]


def test_progress_of_nothing_divides_by_nothing() -> None:
    assert progress_line("Writing", 0, 0, 0.0) == "Writing  100 %, 0 of 0 MB"


def test_the_log_has_what_was_said_and_what_programs_printed(tmp_path: Path) -> None:
    open_log(tmp_path / "run/installer.log")
    Screen([]).say("a line")
    door.run(["sh", "-c", "echo out; echo error >&2"])
    close_log()
    Screen([]).say("not logged")
    lines = [line[11:] for line in (tmp_path / "run/installer.log").read_text().splitlines()]
    assert lines == ["a line", "$ sh -c 'echo out; echo error >&2'", "  out", "  error"]
    assert (tmp_path / "run/installer.log").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("what", "asked"),
    [
        ("reboot", "--no-block reboot"),
        ("poweroff", "--no-block poweroff"),
        ("shell", "--no-block start oic-installer-shell@tty1.service oic-installer-shell@ttyS0.service"),
    ],
)
def test_what_follows_is_asked_of_systemd(
    what: str, asked: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a program that writes down what it is asked: the real one would reboot this machine."""
    (tmp_path / "systemctl").write_text(f'#!/bin/sh\necho "$*" > {tmp_path}/asked\n')
    (tmp_path / "systemctl").chmod(0o755)
    monkeypatch.setitem(door._ENVIRONMENT, "PATH", str(tmp_path))
    (tmp_path / "screen").touch()
    machine = make_machine(tmp_path / "machine", [], mounts=STICK)
    leave(what, Screen([tmp_path / "screen"]), [Path("/dev/tty0"), Path("/dev/tty1"), Path("/dev/ttyS0")], machine)
    assert (tmp_path / "asked").read_text() == f"{asked}\n"
    said = {"reboot": "Rebooting: remove the medium.\r\n", "poweroff": "Powering off: remove the medium.\r\n"}
    assert (tmp_path / "screen").read_text() == said.get(what, "").replace("\r", "")


def test_what_is_no_cd_is_not_ejected(tmp_path: Path) -> None:
    assert medium_device(make_machine(tmp_path, [], mounts=STICK)) == "/dev/sdb"
    assert medium_device(make_machine(tmp_path / "none", [])) == ""
    for device in ("", "/dev/sdb", str(tmp_path / "sr0")):
        assert not eject(device)
