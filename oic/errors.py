"""What goes wrong, in the words a user can act on.

* The message says what was expected and what was found.
* ``where`` says file:line, URL, package or log; ``hint`` says what to do.
* An `OicError` is a mistake of the input or of the world; anything else that escapes is a bug and keeps its traceback.
"""

from __future__ import annotations


class OicError(Exception):
    """One line for the user: ``where: message (hint)``."""

    def __init__(self, message: str, *, where: str | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        text = f"{self.where}: {self.message}" if self.where else self.message
        if not self.hint:
            return text
        return f"{text}\n    {self.hint}" if "\n" in text else f"{text} ({self.hint})"

    def __reduce__(self) -> tuple[object, ...]:
        """Survive the pipe of a child process with all three parts."""
        return (_rebuild, (type(self), self.message, self.where, self.hint))


def _rebuild(kind: type[OicError], message: str, where: str | None, hint: str | None) -> OicError:
    return kind(message, where=where, hint=hint)


class RecipeError(OicError):
    """The recipe, or a file it names, is not what it should be; may hold several lines, one a problem."""


class SolveError(OicError):
    """No set of packages answers the request."""


class TrustError(OicError):
    """A signature, checksum or validity date is not as it must be."""


class FetchError(OicError):
    """Bytes could not be had from a mirror."""


class ToolError(OicError):
    """A program failed; the message carries the last lines of its log."""
