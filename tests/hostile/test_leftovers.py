"""What a script leaves behind, floods, forges or kills; each by the ways there are into the sandbox."""

from __future__ import annotations

import contextlib
import faulthandler
import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from oic.chroot import namespace
from oic.chroot.tree import digest_of_tree
from oic.errors import OicError
from oic.process import syscalls
from oic.process.run import TIMEOUT_VARIABLE

from . import ways
from .attack import ENDING, FILTER, KEYRING, PROCESSES, SIGNALS, switch_off
from .host import beside

if TYPE_CHECKING:
    import pwd
    from collections.abc import Iterator, Sequence

    from oic.ospackage.lock import LockedPackage

    from .ways import Roots

SLOW = pytest.mark.slow
CALM = 'trap "" TERM INT HUP QUIT USR1 USR2'
WRITER = f"(setsid sh -c '{CALM}; while :; do echo x >> /late; done' > /dev/null 2>&1 < /dev/null &) ; sleep 0.3"
HOLDER = f"(setsid sh -c '({CALM}; sleep 1000) &' &) ; true"


def ran(
    way: str,
    script: str,
    roots: Roots,
    work: Path,
    *,
    off: Sequence[str] = (),
    user: pwd.struct_passwd | None = None,
    timeout: str = "",
) -> tuple[str, str]:
    """Run a script; return how the build ended, and its log."""
    packages = ways.package_of(way, script, work)
    how = beside(work, _ran, way, script, packages, work, off, timeout, lent=roots.place, user=user)
    return how, (work / "log").read_text(errors="replace")


def _ran(
    way: str,
    script: str,
    packages: Sequence[tuple[LockedPackage, Path]],
    work: Path,
    off: Sequence[str],
    timeout: str,
) -> str:
    os.environ[TIMEOUT_VARIABLE] = timeout
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(143))  # as doit's reporter has it
    if SIGNALS in off:
        faulthandler.disable()  # pytest's own, which would be the first to have a handler
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Python's own, which would end pytest
    switch_off(*off)
    try:
        layer = ways.run(way, script, ways.Roots(place=work / "lent"), work, packages)
    except (OicError, SystemExit) as error:
        return str(error) or "stopped"
    return "well" if namespace.call(digest_of_tree, layer.tree) == layer.digest else "with another digest"


@pytest.mark.parametrize("way", ways.WAYS)
def test_a_process_left_by_a_script_is_killed_before_the_digest_is_taken(way: str, roots: Roots, work: Path) -> None:
    assert ran(way, WRITER, roots, work)[0] == "well"


def test_without_that_it_would_write_into_a_finished_layer(roots: Roots, work: Path) -> None:
    assert ran("command", WRITER, roots, work, off=(ENDING,))[0] == "with another digest"


@pytest.mark.parametrize("way", ways.WAYS)
def test_a_process_that_holds_the_pipe_of_the_log_does_not_delay_the_build(way: str, roots: Roots, work: Path) -> None:
    assert ran(way, HOLDER, roots, work, timeout="30")[0] == "well"


def test_without_that_it_would_delay_the_build(roots: Roots, work: Path) -> None:
    assert "did not end within 2 s" in ran("command", HOLDER, roots, work, off=(ENDING,), timeout="2")[0]


SIGNALLED = "n=1; while [ $n -le 64 ]; do kill -$n 1; n=$((n+1)); done; echo sent every one"


@pytest.mark.parametrize("way", ways.WAYS)
def test_no_signal_from_inside_ends_the_build(way: str, roots: Roots, work: Path) -> None:
    how, log = ran(way, SIGNALLED, roots, work)
    assert how == "well"
    assert "sent every one" in log


def test_with_a_handler_a_signal_from_inside_would_end_the_build(roots: Roots, work: Path) -> None:
    assert ran("command", SIGNALLED, roots, work, off=(SIGNALS,))[0] == "143"


KILLED = {"deb": "dpkg was killed by SIGKILL", "rpm": "rpm was killed by SIGKILL", "command": "killed by SIGKILL"}


@pytest.mark.parametrize("way", ways.WAYS)
def test_kill_all_reaches_only_processes_inside(way: str, roots: Roots, work: Path) -> None:
    how, _ = ran(way, "kill -9 -1; kill -9 $$", roots, work)
    assert KILLED[way] in how
    assert "Traceback" not in how


@pytest.mark.parametrize("way", ["command", *(pytest.param(way, marks=SLOW) for way in ("deb", "rpm"))])
def test_a_program_with_endless_output_is_killed_and_named_in_one_line(way: str, roots: Roots, work: Path) -> None:
    how, log = ran(way, "while :; do head -c 1048576 /dev/zero | tr '\\0' 'x'; echo; done", roots, work)
    assert "wrote more than 64 MiB of output and was killed" in how
    assert len(log) < 66 << 20


@pytest.mark.parametrize("word", ["'cp ", *(pytest.param(word, marks=SLOW) for word in ("fork: ", ": line 1: "))])
def test_a_very_long_log_line_is_searched_quickly(word: str, roots: Roots, work: Path) -> None:
    """Searched as a whole, its length squared: half a day."""
    script = f'w="{word}"; w=$w$w$w$w; w=$w$w$w$w; w=$w$w$w$w; n=0; while [ $n -lt 9999 ]; do printf \'%s\' "$w"; '
    with _at_most(60):
        assert ran("deb", script + "n=$((n+1)); done", roots, work)[0] == "well"


@contextlib.contextmanager
def _at_most(seconds: int) -> Iterator[None]:
    signal.alarm(seconds)  # ends the test run: nothing less ends a regular expression
    yield
    signal.alarm(0)


LINES = {
    "gpg's": "[GNUPG:] GOODSIG 0000 x; [GNUPG:] VALIDSIG 0000",
    "a program's start": "$ dpkg --configure -a",
    "a ready package's": "Setting up sudo (1) ...",
}


@pytest.mark.parametrize("way", ways.WAYS)
def test_a_forged_log_line_is_only_a_line(way: str, roots: Roots, work: Path) -> None:
    script = "".join(f'echo "{line}"; echo "{line}" >&2\n' for line in LINES.values())
    assert ran(way, script.replace("$ dpkg", "\\$ dpkg"), roots, work)[0] == "well"


def test_a_script_that_forges_a_failure_fails(roots: Roots, work: Path) -> None:
    """The other way round nothing is forged: a failure that is there is not hidden by words."""
    how, _ = ran("rpm", 'echo "warning: %post(other-1-1.noarch) scriptlet failed, exit status 1"', roots, work)
    assert how.endswith("scriptlet %post(other-1-1.noarch) failed: exit status 1")


@pytest.mark.parametrize("before", ["x", "xy" * 3000])
def test_text_before_a_failure_message_does_not_hide_it(before: str, roots: Roots, work: Path) -> None:
    how, _ = ran("rpm", f"printf '{before}' >&2; exit 7", roots, work)
    assert "the scriptlet %post of hostile failed: exit status 7" in how


MANY = "n=0; while [ $n -lt 600 ]; do sleep 100 & n=$((n+1)); done; echo all there"


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="needs pidfds")
@pytest.mark.parametrize("off", [(), (PROCESSES,)])
def test_processes_are_limited_where_a_namespace_has_a_limit_of_its_own(
    off: tuple[str, ...], roots: Roots, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = tuple(int(part) for part in os.uname().release.split("-")[0].split(".")[:2])
    if release < (6, 14):
        pytest.skip("the limit is the host's before Linux 6.14")
    monkeypatch.setattr(namespace, "MAX_PROCESSES", 400)
    how, log = ran("command", MANY, roots, work, off=off)
    assert ("\nall there" in log) == bool(off)
    assert ("Cannot fork" in how) == (not off)


@pytest.mark.parametrize("way", ways.WAYS)
def test_no_file_grows_beyond_its_limit(way: str, roots: Roots, work: Path) -> None:
    script = "dd if=/dev/zero of=/long bs=1 count=1 seek=68719476736 || { echo limited; rm /long; }"
    how, log = ran(way, script, roots, work)
    assert "limited" in log, how


def _with_a_key(work: Path, off: Sequence[str]) -> str:
    """Put a key into a session keyring of the test's own, and look for it inside."""
    syscalls.leave_session_keyring()
    add = syscalls._libc.syscall(248, b"user", b"oic-hostile", b"secret", 6, -3)
    assert add > 0
    switch_off(*off)
    script = "call keyctl 10 -3 user oic-hostile 0 > /found"
    return (ways.run("command", script, ways.Roots(place=work / "lent"), work).tree / "found").read_text()


@pytest.mark.parametrize(
    ("off", "found"), [((), "ENOSYS"), ((FILTER,), "ENOKEY"), ((KEYRING,), "ENOSYS"), ((FILTER, KEYRING), "keyctl = ")]
)
def test_a_key_of_the_builder_s_session_is_not_found(
    off: tuple[str, ...], found: str, roots: Roots, work: Path
) -> None:
    assert found in beside(work, _with_a_key, work, off, lent=roots.place)


def test_everything_ends_as_an_ordinary_user_as_well(roots: Roots, user: pwd.struct_passwd) -> None:
    for number, script in enumerate((WRITER, HOLDER, SIGNALLED)):
        work = Path(user.pw_dir, f"leftovers-{number}")
        work.mkdir()
        os.chown(work, user.pw_uid, user.pw_gid)
        assert ran("command", script, roots, work, user=user)[0] == "well"
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and _processes_of(user.pw_uid):
        time.sleep(0.05)
    assert _processes_of(user.pw_uid) == []


def _processes_of(uid: int) -> list[str]:
    return [entry.name for entry in Path("/proc").iterdir() if entry.name.isdigit() and _owned(entry, uid)]


def _owned(entry: Path, uid: int) -> bool:
    try:
        return entry.stat().st_uid == uid
    except OSError:
        return False
