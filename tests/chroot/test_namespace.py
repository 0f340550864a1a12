from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from oic.chroot import namespace
from oic.errors import OicError, ToolError
from oic.process import child
from oic.process.child import ChildError


def _facts() -> dict[str, object]:
    return {
        "pid": os.getpid(),
        "uid": os.getuid(),
        "groups": os.getgroups(),
        "interfaces": [line.split(":")[0].strip() for line in Path("/proc/net/dev").read_text().splitlines()[2:]],
        "processes": sorted(int(name) for name in os.listdir("/proc") if name.isdigit()),
        "host": os.uname().nodename,
    }


def test_a_function_runs_as_root_of_namespaces_of_its_own() -> None:
    facts = namespace.call(_facts)
    assert facts["pid"] == 1
    assert facts["uid"] == 0
    assert facts["groups"] == []
    assert facts["interfaces"] == ["lo"]
    assert facts["processes"] == [1]
    assert facts["host"] == "localhost"


def test_owners_can_be_given_and_mounts_stay_inside(tmp_path: Path) -> None:
    def inside() -> tuple[int, int]:
        from oic.process import syscalls  # noqa: PLC0415

        file = tmp_path / "file"
        file.touch()
        os.chown(file, 5, 6)
        syscalls.mount("tmpfs", str(tmp_path), "tmpfs")
        (tmp_path / "hidden").touch()
        return os.stat(tmp_path.parent).st_uid, len(os.listdir(tmp_path))

    assert namespace.call(inside, writes=[tmp_path])[1] == 1
    assert os.listdir(tmp_path) == ["file"]
    assert str(tmp_path) not in Path("/proc/self/mountinfo").read_text()


def test_a_users_error_arrives_as_it_was_raised() -> None:
    def fail() -> None:
        raise ToolError("expected this", where="there", hint="do that")

    with pytest.raises(ToolError) as caught:
        namespace.call(fail)
    assert str(caught.value) == "there: expected this (do that)"


def test_a_bug_arrives_with_its_traceback() -> None:
    def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ChildError, match="ZeroDivisionError") as caught:
        namespace.call(fail)
    assert "in fail" in str(caught.value)


def test_a_killed_process_is_reported_in_one_line() -> None:
    def die() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    with pytest.raises(ToolError, match=r"^a process of the build was killed by SIGKILL"):
        child.start(die).result()


_SLEEPER = """
import subprocess
from oic.chroot import namespace
from oic.process import child
def sleep():
    print("up", flush=True)
    subprocess.run(["sleep", "4711"])
namespace.call(sleep)
"""


def _sleepers() -> list[str]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"4711" in words:
                found.append(entry.name)
    return found


def test_nothing_outlives_a_killed_caller() -> None:
    with subprocess.Popen([sys.executable, "-c", _SLEEPER], stdout=subprocess.PIPE) as caller:
        assert caller.stdout
        assert caller.stdout.readline() == b"up\n"
        while not _sleepers():
            time.sleep(0.05)
        caller.send_signal(signal.SIGKILL)
        caller.wait()
    for _ in range(200):
        if not _sleepers():
            return
        time.sleep(0.05)
    pytest.fail(f"still running: {_sleepers()}")


def test_a_user_without_sub_ids_is_told_the_command_to_run() -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can take another user's id")

    def as_nobody() -> str:
        from oic.chroot import idmap  # noqa: PLC0415

        os.setresuid(65534, 65534, 65534)
        try:
            idmap.current()
        except OicError as error:
            return str(error)
        return "no error"

    from oic.process import child  # noqa: PLC0415

    said = child.start(as_nobody).result()
    assert "sub-uids for user nobody, found none" in said
    assert "usermod --add-subuids" in said
    assert "\n" not in said


@pytest.mark.parametrize("where", ["beside each other", "inside"])
def test_an_interrupt_kills_every_child(where: str, tmp_path: Path) -> None:
    """At once: what is cleaned up then, nobody writes any more."""
    written = tmp_path / "written"

    def write(name: str) -> None:
        end = time.monotonic() + 20
        while time.monotonic() < end:
            with written.open("a") as file:
                file.write(f"{name}\n")
            time.sleep(0.001)

    def stop(_number: int, _frame: object) -> None:
        raise SystemExit(143)

    begun = time.monotonic()
    before = signal.signal(signal.SIGALRM, stop)
    try:
        with pytest.raises(SystemExit):  # noqa: PT012 - the alarm comes while they run
            signal.setitimer(signal.ITIMER_REAL, 1.0)
            if where == "inside":
                namespace.call(write, "one", writes=[tmp_path])
            else:
                child.call_all([(write, ("one",)), (write, ("two",))])
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert time.monotonic() - begun < 15, "nobody waited for their end"
    time.sleep(0.1)
    size = written.stat().st_size
    assert size > 0
    time.sleep(0.3)
    assert written.stat().st_size == size
