"""What goes wrong, in the words a user can act on.

* The message says what was expected and what was found.
* ``where`` says file:line, URL, package or log; ``hint`` says what to do.
* What strangers wrote, a mirror, a package, a script, reaches no terminal as it is: `shown`.
* An `OicError` is a mistake of the input or of the world; anything else that escapes is a bug and keeps its traceback.
"""

from __future__ import annotations


def shown(text: str, *, keep: str = "\n\t") -> str:
    """Return a text as a terminal may have it: whatever is not printed but obeyed, but for `keep`, is escaped.

    These are the control characters (C0, C1), those that turn the direction of a line, and line breaks of any kind.
    """
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() or one in keep else repr(one)[1:-1] for one in text)


def one_line(text: str) -> str:
    """Return a text with line breaks and tabs escaped as well."""
    return shown(text, keep="")


class OicError(Exception):
    """One line for the user: ``where: message (hint)``."""

    def __init__(self, message: str, *, where: str | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        text = f"{self.where}: {self.message}" if self.where else self.message
        if self.hint:
            text = f"{text}\n    {self.hint}" if "\n" in text else f"{text} ({self.hint})"
        return shown(text)

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
