"""A shell on a serial console: log in, run commands, log out.

* The kernel also writes to the console, in the middle of lines. Therefore the output of a command is sent as numbered
  lines of base64 with a sha256. Other lines are ignored, and a command with a wrong sha256 is run again.
* The typed line contains the end marker only in pieces, so that its echo is not mistaken for the marker.
* A lost key stroke (getty and login flush their input) leads to a retry. A wrong password is a separate error.
"""

from __future__ import annotations

import base64
import hashlib
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from oic.boottest.console import PANIC
from oic.boottest.failure import BootError

if TYPE_CHECKING:
    from oic.boottest.console import Console

LOGIN = r"(?<!Last )(?<!failed )login: "
ATTEMPTS = 3
LOGINS = 5
REFUSALS = 3
REFUSED = "name or password were refused"
UNANSWERED = "no prompt for a password came (is /bin/login, the package login, in the image?)"
ANSWER_TIMEOUT = 60.0
"""A key stroke counts as lost after so many seconds without an answer; emulation on a busy machine is slow."""
TERMINAL_DELAY = 1.0

_REFUSED = rf"Login incorrect|Login timed out|Authentication failure|(?={LOGIN})"
_EXPIRED = r"(?:[Cc]urrent|New|UNIX) password:"
_TERMINAL = (
    "stty -echo; exec env TERM=dumb LC_ALL=C PS1= PS2= SYSTEMD_COLORS=0 "
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin sh\n"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The output of a command, both streams without final newlines, and its exit status."""

    text: str
    status: int


class Session:
    """A shell of `user` on a console."""

    def __init__(self, console: Console, user: str) -> None:
        self.user = user
        self._console = console
        self._number = 0

    def run(self, command: str, deadline: float) -> Answer:
        """Run a shell command until it ends; raises BootError when its output does not arrive completely."""
        for _ in range(ATTEMPTS):
            self._number += 1
            self._console.skip()
            self._console.send(_framed(command, self._number))
            ends = {"end": rf"oic-end-{self._number} \d+ [0-9a-f]{{64}}"}
            before = len(self._console.text)
            until = min(deadline, time.monotonic() + 2 * ANSWER_TIMEOUT)
            match = self._console.await_any(f"the output of `{command}`", ends, until)
            body = self._console.text[before : match.start()] if match else ""
            if match and (answer := _answer(body, self._number, match[0])):
                return answer
        why = "timed out" if time.monotonic() >= deadline else f"incomplete in {ATTEMPTS} attempts"
        raise self._console.failure(f"expected the output of `{command}`: {why}")

    def failure(self, message: str) -> BootError:
        """Return an error with this session's console log."""
        return BootError(message, where=str(self._console.log))

    def log_out(self, deadline: float) -> None:
        """End the shell and wait for the next login prompt, without consuming it."""
        self._console.skip()
        self._console.send("exit\n")
        self._console.expect("a login prompt after logging out", {"login": rf"(?={LOGIN})"}, deadline)


def log_in(console: Console, user: str, password: str, deadline: float) -> Session:
    """Wait for a login prompt and log in; raises BootError when `user` is refused."""
    failures: list[str] = []
    while len(failures) < LOGINS and failures.count(REFUSED) < REFUSALS and time.monotonic() < deadline:
        prompt = console.await_any("a login prompt", {"login": LOGIN}, min(deadline, time.monotonic() + ANSWER_TIMEOUT))
        if prompt is None:
            console.send("\n")
            failures.append("no login prompt came")
            continue
        failure = _attempt(console, user, password, deadline)
        if not failure:
            return Session(console, user)
        failures.append(failure)
    raise console.failure(f"user {user} could not log in: {failures[-1] if failures else 'timed out'}")


def _attempt(console: Console, user: str, password: str, deadline: float) -> str:
    """Return why the login failed; empty when a shell answers."""
    _wait_for_terminal(console)
    console.send(f"{user}\n")
    # getty prompts again and forgets the name when the network comes up meanwhile (agetty(8), --reload)
    prompts = {"asked": r"[Pp]assword: ?", "again": rf"(?={LOGIN})"}
    prompt = console.await_any("a prompt for the password", prompts, _answer_deadline(deadline))
    if prompt is None or prompt.lastgroup == "again":
        return UNANSWERED
    _wait_for_terminal(console)
    console.send(f"{password}\n")
    after = {"refused": _REFUSED, "expired": _EXPIRED, "shell": r"[$#>%] (?=\[|\s|\Z)"}
    match = console.await_any("a shell", after, _answer_deadline(deadline))
    if match and match.lastgroup == "expired":
        raise console.failure(f"user {user} could not log in: the password must be changed first")
    if match and match.lastgroup == "refused":
        return REFUSED
    return _take_shell(console, deadline)


def _take_shell(console: Console, deadline: float) -> str:
    """Replace the shell by a plain one without echo."""
    console.send(_TERMINAL)
    _wait_for_terminal(console)
    for _ in range(ATTEMPTS):
        console.send("printf 'oic-%s\\n' ready\n")
        match = console.await_any("a shell", {"ready": "oic-ready", "refused": _REFUSED}, _answer_deadline(deadline))
        if match and match.lastgroup == "ready":
            console.dead_ends = PANIC  # from now on, output of commands may contain the other patterns
            return ""
        if match:
            return REFUSED
    return "no shell answered"


def _wait_for_terminal(console: Console) -> None:
    """Wait a moment: login and getty discard input until they have set up the terminal."""
    console.await_any("silence", {}, time.monotonic() + TERMINAL_DELAY)


def _answer_deadline(deadline: float) -> float:
    return min(deadline, time.monotonic() + ANSWER_TIMEOUT)


def _framed(command: str, number: int) -> str:
    # in base64, because the terminal would interpret tabs and newlines
    packed = base64.b64encode(command.encode()).decode()
    return (
        f'oic_text=$(eval "$(printf %s {packed} | base64 -d)" 2>&1 </dev/null); oic_status=$?; '
        f'printf %s "$oic_text" | base64 | sed "s/^/oic-{number}:/"; '
        f'set -- $oic_status $(printf %s "$oic_text" | sha256sum); '
        # twice, because the kernel may write into one of them
        f"printf '\\noic-%s-{number} %s %s\\n' end $1 $2; printf 'oic-%s-{number} %s %s\\n' end $1 $2\n"
    )


def _answer(body: str, number: int, end: str) -> Answer | None:
    _, status, digest = end.split()
    lines = re.findall(rf"^oic-{number}:([A-Za-z0-9+/]+={{0,2}})$", body, re.MULTILINE)
    try:
        content = base64.b64decode("".join(lines), validate=True)
    except ValueError:
        return None
    if hashlib.sha256(content).hexdigest() != digest:
        return None
    return Answer(text=content.decode("utf-8", "replace"), status=int(status))
