"""A shell on a console that is shared with a kernel; the peer's shells are real ones."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from oic.boottest import session as session_module
from oic.boottest.failure import BootError
from oic.boottest.session import log_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from oic.boottest.console import Console

ADMIN = {"admin": "geheim 1"}


@pytest.mark.parametrize("shell", [["bash", "--norc", "-i"], ["dash", "-i"], ["bash", "--norc", "--posix", "-i"]])
def test_a_command_is_answered_with_its_text_and_status(
    console_of: Callable[..., Console], shell: list[str], deadline: float
) -> None:
    session = log_in(console_of(passwords=ADMIN, shell=shell), "admin", "geheim 1", deadline)
    answer = session.run("printf 'a\\tb\\n\\n# c: é'; echo oic-end-1 0 >&2; exit 3", deadline)
    assert (answer.text, answer.status) == ("a\tb\n\n# c: éoic-end-1 0", 3)


def test_tabs_and_new_lines_of_a_command_reach_the_shell(console_of: Callable[..., Console], deadline: float) -> None:
    session = log_in(console_of(passwords=ADMIN), "admin", "geheim 1", deadline)
    assert session.run("printf %s 'a\tb\nc'", deadline).text == "a\tb\nc"


def test_a_long_answer_is_the_same_as_without_a_console(console_of: Callable[..., Console], deadline: float) -> None:
    argv = ["dpkg-query", "--show", "--showformat=${binary:Package} ${Version} ${Conffiles}\\n"]
    session = log_in(console_of(passwords=ADMIN, tears=2), "admin", "geheim 1", deadline)
    direct = subprocess.run(argv, capture_output=True, text=True, check=True, env={"PATH": "/usr/bin", "LC_ALL": "C"})
    command = "dpkg-query --show --showformat='${binary:Package} ${Version} ${Conffiles}\\n'"
    assert session.run(command, deadline).text == direct.stdout.rstrip("\n")


def test_output_mixed_with_kernel_messages_is_requested_again(
    console_of: Callable[..., Console], deadline: float
) -> None:
    console = console_of(passwords=ADMIN, tears=3)
    session = log_in(console, "admin", "geheim 1", deadline)
    for _ in range(4):
        assert session.run("seq 1 200", deadline).text.split() == [str(number) for number in range(1, 201)]
    assert console.text.count("the kernel speaks") == 3


def test_a_name_that_getty_forgot_is_typed_again(console_of: Callable[..., Console], deadline: float) -> None:
    session = log_in(console_of(passwords=ADMIN, forgets=2), "admin", "geheim 1", deadline)
    assert session.run("echo here", deadline).text == "here"


def test_a_wrong_password_is_reported(console_of: Callable[..., Console], deadline: float) -> None:
    with pytest.raises(BootError, match="user admin could not log in: name or password were refused"):
        log_in(console_of(passwords=ADMIN), "admin", "wrong", deadline)


def test_an_expired_password_is_reported(console_of: Callable[..., Console], deadline: float) -> None:
    with pytest.raises(BootError, match="user admin could not log in: the password must be changed first"):
        log_in(console_of(passwords=ADMIN, expired=True), "admin", "geheim 1", deadline)


def test_a_shell_that_does_not_answer_is_reported(
    console_of: Callable[..., Console], monkeypatch: pytest.MonkeyPatch, deadline: float
) -> None:
    monkeypatch.setattr(session_module, "ANSWER_TIMEOUT", 1.0)
    monkeypatch.setattr(session_module, "LOGINS", 1)
    with pytest.raises(BootError, match="user admin could not log in: no shell answered"):
        log_in(console_of(passwords=ADMIN, shell=["sleep", "1000"]), "admin", "geheim 1", deadline)


def test_one_user_after_the_other(console_of: Callable[..., Console], deadline: float) -> None:
    console = console_of(passwords={**ADMIN, "guest": "x"})
    first = log_in(console, "admin", "geheim 1", deadline)
    first.run("umask", deadline)
    first.log_out(deadline)
    assert log_in(console, "guest", "x", deadline).run("echo second", deadline).text == "second"


def test_a_machine_that_stops_during_a_command_ends_the_wait(
    console_of: Callable[..., Console], deadline: float
) -> None:
    session = log_in(console_of(passwords=ADMIN), "admin", "geheim 1", deadline)
    with pytest.raises(BootError, match="but the machine printed: Kernel panic - not syncing: now"):
        session.run("printf 'Kernel panic - not %s: now\\n' syncing >/dev/tty; sleep 50", deadline)
