"""Errors with messages that a user can act on.

* The message says what was expected and what was found.
* ``where`` says file:line, URL, package or log; ``hint`` says what to do.
* Text from outside (a mirror, a package, a script) is escaped by `printable` before it reaches a terminal.
* An `OicError` is an error in the input or in the environment. Any other exception is a bug and keeps its traceback.
"""

from __future__ import annotations


def printable(text: str, *, keep: str = "\n\t") -> str:
    """Return a text that is safe to print: every character that is not printable is escaped, except those in `keep`.

    That covers control characters (C0 and C1), characters that change the direction of text, and all line breaks.
    """
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() or one in keep else repr(one)[1:-1] for one in text)


def one_line(text: str) -> str:
    """Return a text like `printable` does, with line breaks and tabs escaped as well."""
    return printable(text, keep="")


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
        return printable(text)

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle all three parts, so that an error of a child process reaches its parent whole."""
        return (_rebuild, (type(self), self.message, self.where, self.hint))


def _rebuild(kind: type[OicError], message: str, where: str | None, hint: str | None) -> OicError:
    return kind(message, where=where, hint=hint)


class RecipeError(OicError):
    """The recipe, or a file that it names, is invalid; the message has one line for each problem."""


class SolveError(OicError):
    """No set of packages satisfies the request."""


class TrustError(OicError):
    """A signature, a checksum or a validity date is wrong."""


class FetchError(OicError):
    """A download failed."""


class ToolError(OicError):
    """A program failed; the message holds the last lines of its log."""
