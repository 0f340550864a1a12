"""How a boot test fails: what was awaited, the end of the console, the path of the whole."""

from __future__ import annotations

from oic.errors import OicError

TAIL = 40


class BootError(OicError):
    """The image did not boot, let nobody in, or is not what it should be once up."""


def with_tail(message: str, console: str) -> str:
    """Return `message` followed by the last lines of a console that say something."""
    lines = [line.rstrip() for line in console.splitlines() if line.strip()]
    if not lines:
        return f"{message}; the console is empty"
    return "".join([f"{message}; the console ends with:", *(f"\n    {line}" for line in lines[-TAIL:])])
