"""The units of systemd that run the installer in its system in place of a login."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import oic.installer
from oic.installer.__main__ import main
from oic.installer.ending import SHELL_UNIT

FOLDER = Path(oic.installer.__file__).parent
UNITS = FOLDER / "units"


def unit(name: str) -> configparser.ConfigParser:
    parsed = configparser.ConfigParser(interpolation=None, strict=False)
    parsed.optionxform = str  # type: ignore[assignment,method-assign]
    parsed.read(UNITS / name)
    return parsed


def test_systemd_finds_nothing_wrong_with_the_units(tmp_path: Path) -> None:
    for path in UNITS.iterdir():
        shutil.copy(path, tmp_path)
    names = sorted(str(tmp_path / path.name) for path in UNITS.iterdir())
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *names], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_target_starts_the_service_and_no_login() -> None:
    target = unit("oic-installer.target")["Unit"]
    assert target["Wants"] == "oic-installer.service"
    assert target["Requires"] == "basic.target"
    assert "getty" not in (UNITS / "oic-installer.target").read_text()


def test_the_service_runs_the_package_where_it_is_copied_to(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    service = unit("oic-installer.service")["Service"]
    path = re.fullmatch(r"PYTHONPATH=/(\S+)", service["Environment"])
    assert path
    target = tmp_path / path[1] / "oic_installer"
    shutil.copytree(FOLDER, target, ignore=shutil.ignore_patterns("__pycache__", "units"))
    program, *arguments = service["ExecStart"].split()
    assert Path(program).exists()
    done = subprocess.run(
        [program, *[one for one in arguments if one != "--service"], str(tmp_path / "none")],
        env={"PYTHONPATH": str(tmp_path / path[1])},
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
    )
    assert done.returncode == 1
    assert done.stdout.startswith("The installation failed:\nexpected oic/payload.json on the medium")
    with pytest.raises(SystemExit):
        main(["--help"])
    assert "--service" in capsys.readouterr().out


def test_the_shells_are_on_their_consoles() -> None:
    service = unit(f"{SHELL_UNIT}.service")["Service"]
    assert service["TTYPath"] == "/dev/%I"
    assert service["Restart"] == "always"


@pytest.mark.parametrize("arguments", [["--nonsense"], ["a", "b"]])
def test_wrong_arguments_are_status_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (KeyboardInterrupt(), "it was interrupted"),
        (MemoryError(), "the machine has too little memory"),
        (
            OSError(28, "No space left on device", "/run/oic/target/etc/hosts"),
            "/run/oic/target/etc/hosts: No space left",
        ),
        (OSError(5, "Input/output error"), "the system: Input/output error"),
    ],
)
def test_what_is_no_error_of_the_installer_is_one_line(
    error: BaseException, text: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise error

    monkeypatch.setattr("oic.installer.__main__.install", broken)
    assert main([]) == 1
    assert capfd.readouterr().out.startswith(f"The installation failed:\n{text}")


def test_an_error_of_the_installer_itself_is_one_line_and_its_trace_is_in_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("oic.installer.__main__.install", broken)
    assert main(["--log", str(tmp_path / "log")]) == 1
    assert capfd.readouterr().out == (
        f"The installation failed:\nan error of the installer itself: ZeroDivisionError()\nThe log is {tmp_path}/log.\n"
    )
    assert "Traceback" in (tmp_path / "log").read_text()
