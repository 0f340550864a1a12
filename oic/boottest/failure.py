"""The error of a failed boot test, with the end of the console and the path of its log."""

from __future__ import annotations

from oic.errors import OicError

TAIL = 40


class BootError(OicError):
    """The image did not boot, refused the login, or is not as expected."""


def with_tail(message: str, console: str) -> str:
    """Return `message` followed by the last lines of a console that are not empty."""
    lines = [line.rstrip() for line in console.splitlines() if line.strip()]
    if not lines:
        return f"{message}; the console is empty"
    return "".join([f"{message}; the console ends with:", *(f"\n    {line}" for line in lines[-TAIL:])])
