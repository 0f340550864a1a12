"""Errors of the installer: what a person who stands before the machine is told."""

from __future__ import annotations


def printable(text: str) -> str:
    """Return a text that is safe on a console: characters that are not printable are escaped, line breaks are kept."""
    return "".join(one if one.isprintable() or one == "\n" else repr(one)[1:-1] for one in text)


class InstallError(Exception):
    """Why the installation ended: what was expected, what was found; a `hint` says what to do."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return printable(f"{self.message}\n    {self.hint}" if self.hint else self.message)
