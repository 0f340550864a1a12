"""Reads JSON strictly: each value has the type that it must have, no key is missing, none is unknown. Pure."""

from __future__ import annotations

import json
from typing import Any

from .errors import InstallError


class Fields:
    """The keys of one JSON object; `where` says which one, in messages."""

    def __init__(self, value: Any, where: str, keys: tuple[str, ...]) -> None:
        if not isinstance(value, dict):
            raise InstallError(f"{where}: expected an object, found {_kind(value)}")
        missing = [key for key in keys if key not in value]
        unknown = [key for key in value if key not in keys]
        if missing or unknown:
            found = f"without {missing[0]}" if missing else f"with {unknown[0]!r}"
            raise InstallError(f"{where}: expected the keys {', '.join(keys)}, found an object {found}")
        self._value = value
        self.where = where

    def text(self, key: str) -> str:
        """Return a text without a NUL."""
        value = self._value[key]
        if not isinstance(value, str) or "\0" in value:
            raise InstallError(f"{self.where}.{key}: expected text, found {_kind(value)}")
        return value

    def choice(self, key: str, *allowed: str) -> str:
        """Return one of the allowed texts."""
        value = self.text(key)
        if value not in allowed:
            shown = ", ".join(one or "''" for one in allowed)
            raise InstallError(f"{self.where}.{key}: expected one of {shown}, found {value!r}")
        return value

    def digest(self, key: str) -> str:
        """Return a sha256 in hexadecimal digits."""
        value = self.text(key)
        if len(value) != 64 or set(value) - set("0123456789abcdef"):
            raise InstallError(f"{self.where}.{key}: expected a sha256, found {value!r}")
        return value

    def number(self, key: str, *, least: int = 0, most: int = 1 << 62) -> int:
        """Return a whole number within limits."""
        value = self._value[key]
        if type(value) is not int:  # True is an int
            raise InstallError(f"{self.where}.{key}: expected a number, found {_kind(value)}")
        if not least <= value <= most:
            raise InstallError(f"{self.where}.{key}: expected {least} to {most}, found {value}")
        return value

    def truth(self, key: str) -> bool:
        """Return true or false."""
        value = self._value[key]
        if not isinstance(value, bool):
            raise InstallError(f"{self.where}.{key}: expected true or false, found {_kind(value)}")
        return value

    def items(self, key: str, keys: tuple[str, ...]) -> list[Fields]:
        """Return the objects of a list."""
        value = self._value[key]
        if not isinstance(value, list):
            raise InstallError(f"{self.where}.{key}: expected a list, found {_kind(value)}")
        return [Fields(one, f"{self.where}.{key}[{at}]", keys) for at, one in enumerate(value)]

    def named(self, key: str, keys: tuple[str, ...]) -> dict[str, Fields]:
        """Return the objects of an object by their names."""
        value = self._value[key]
        if not isinstance(value, dict):
            raise InstallError(f"{self.where}.{key}: expected an object, found {_kind(value)}")
        return {name: Fields(one, f"{self.where}.{key}.{name}", keys) for name, one in value.items()}

    def texts(self, key: str) -> tuple[str, ...]:
        """Return the texts of a list."""
        value = self._value[key]
        if not isinstance(value, list) or not all(isinstance(one, str) and "\0" not in one for one in value):
            raise InstallError(f"{self.where}.{key}: expected a list of texts, found {_kind(value)}")
        return tuple(value)

    def optional(self, key: str, keys: tuple[str, ...]) -> Fields | None:
        """Return an object, or None for null."""
        return None if self._value[key] is None else self.object(key, keys)

    def object(self, key: str, keys: tuple[str, ...]) -> Fields:
        """Return an object."""
        return Fields(self._value[key], f"{self.where}.{key}", keys)


def parse_json(data: bytes, where: str) -> Any:
    """Return the value of a JSON text; raises InstallError for what is none, and for a key that is there twice."""
    try:
        return json.loads(data.decode("utf-8"), object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise InstallError(f"{where}: expected JSON, found an error: {error}") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is there twice")
    return found


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "text", bool: "true or false", type(None): "null"}
    return names.get(type(value), f"the number {value}")
