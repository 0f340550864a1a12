"""Reads a JSON object, which a user may have edited, field by field.

A field of the wrong type raises SolveError with one line. Texts have no control characters or surrogates.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeVar, cast
from urllib.parse import unquote, urlsplit

from oic.errors import SolveError
from oic.values import Bytes, Digest

if TYPE_CHECKING:
    from collections.abc import Callable

SHA256 = r"[0-9a-f]{64}"

_URL = r"(https?|file|packages)://[^\s\\?#]*"
_KEY_URL = r"https?://[^\s\\#]*|file://[^\s\\?#]*"
_NOT_TEXT = r"[\x00-\x1f\x7f\ud800-\udfff]"
_MAX_SIZE = 2**40
_MAX_REPR = 60

Value = TypeVar("Value")


class Entry:
    """A JSON object; `name` is its name in messages.

    Each method returns the value of a field, or raises SolveError that names the entry and the field.
    """

    def __init__(self, value: Any, name: str) -> None:
        self.name = name
        if not isinstance(value, dict):
            raise SolveError(f"expected {name} of a lock to be an object, found {short_repr(value)}")
        self._fields = value

    def error(self, field: str, expected: str, found: Any) -> SolveError:
        """Return the error for a field."""
        return SolveError(f"{self.name}: {field}: {expected}, found {short_repr(found)}")

    def expect(self, *fields: str, optional: tuple[str, ...] = ()) -> bool:
        """Refuse missing and unknown fields; tell whether any of the optional ones exists."""
        if missing := sorted(set(fields) - self._fields.keys()):
            raise SolveError(f"{self.name}: expected the field {missing[0]}, found none")
        if more := sorted(self._fields.keys() - {*fields, *optional}):
            known = ", ".join((*fields, *optional))
            raise SolveError(f"{self.name}: expected no field but {known}, found {short_repr(more[0])}")
        return any(field in self._fields for field in optional)

    def mapping(self, field: str) -> dict[str, Any]:
        """Return an object."""
        return cast("dict[str, Any]", self._of(field, dict, "an object"))

    def list(self, field: str) -> list[Any]:
        """Return a list."""
        return cast("list[Any]", self._of(field, list, "a list"))

    def flag(self, field: str) -> bool:
        """Return true or false."""
        return cast("bool", self._of(field, bool, "true or false"))

    def text(self, field: str, pattern: str | None = None, expected: str = "text") -> str:
        """Return a text that matches `pattern`."""
        return self._text(field, self._fields[field], pattern, expected)

    def digest(self, field: str) -> Digest:
        """Return a sha256."""
        return Digest(self.text(field, SHA256, "64 hexadecimal digits"))

    def size(self, field: str) -> Bytes:
        """Return a number of bytes."""
        value = self._fields[field]
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _MAX_SIZE:
            raise self.error(field, "expected a number of bytes", value)
        return Bytes(value)

    def texts(self, field: str, pattern: str | None = None, expected: str = "text") -> tuple[str, ...]:
        """Return a list of texts."""
        return tuple(self._text(field, value, pattern, expected) for value in self.list(field))

    def url(self, field: str, *, query: bool = False) -> str:
        """Return a URL without a user, a password or ``..``, and without a query unless it may have one."""
        url = self.text(field, _KEY_URL if query else _URL, "an http(s) or file URL")
        try:
            parts = urlsplit(url)
        except ValueError:
            raise self.error(field, "expected an http(s) or file URL", url) from None
        if "@" in parts.netloc or climbs(parts.path):
            raise self.error(field, "expected a URL without user, password or '..'", url)
        return url

    def each(self, field: str, read: Callable[[Entry], Value]) -> tuple[Value, ...]:
        """Return the results of `read` for each object of a list."""
        name = f"{self.name}: {field}"
        return tuple(read(Entry(value, f"{name} {number}")) for number, value in enumerate(self.list(field), 1))

    def _of(self, field: str, kind: type, expected: str) -> Any:
        value = self._fields[field]
        if not isinstance(value, kind):
            raise self.error(field, f"expected {expected}", value)
        return value

    def _text(self, field: str, value: Any, pattern: str | None, expected: str) -> str:
        if not isinstance(value, str) or re.search(_NOT_TEXT, value) or (pattern and not re.fullmatch(pattern, value)):
            raise self.error(field, f"expected {expected}", value)
        return value


def climbs(path: str) -> bool:
    """Tell whether a path, as it is or with %xx decoded, contains ``..`` or parts of a URL."""
    return any(
        ".." in text.split("/") or "://" in text or re.search(r"[\\?#]", text) or re.search(_NOT_TEXT, text)
        for text in (path, unquote(path))
    )


def short_repr(value: Any) -> str:
    """Return a value for a message: short, and in ASCII."""
    text = "a list" if isinstance(value, list) else "an object" if isinstance(value, dict) else ascii(value)
    return text if len(text) <= _MAX_REPR else text[:_MAX_REPR] + "…"
