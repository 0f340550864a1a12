"""A recipe's file as bytes, as a bare tree, and as the tree of values that know where they were written."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from oic.errors import RecipeError, one_line

if TYPE_CHECKING:
    from pathlib import Path

MAX_BYTES = 1 << 20
INTEGER_KEYS = frozenset({"index", "passwordMaxAge", "priority"})

_CREDENTIALS = r"([A-Za-z][\w+.-]*://)[^/\s'\"]*@"
_DECIMAL = re.compile(r"[+-]?(0|[1-9][0-9]{0,8})", re.ASCII)


class Node(Struct, frozen=True):
    """A value, the file and line it was written at, and its key path in that file.

    The accessors never fail: what is not there or of another type reads as empty, so that checks may be
    written without asking first. An absent value is a node of None.
    """

    value: dict[str, Node] | list[Node] | str | int | bool | None
    file: Path
    line: int
    path: str

    def get(self, *keys: str) -> Node:
        """Return the node below these keys; a node of None, at the place it would be, where there is none."""
        node = self
        for key in keys:
            below = node.entries.get(key)
            node = below if below is not None else Node(None, node.file, node.line, join(node.path, key))
        return node

    @property
    def entries(self) -> dict[str, Node]:
        """The entries of a mapping, else none."""
        return self.value if isinstance(self.value, dict) else {}

    @property
    def items(self) -> list[Node]:
        """The items of a list, else none."""
        return self.value if isinstance(self.value, list) else []

    @property
    def text(self) -> str:
        """The text of a string, else an empty one."""
        return self.value if isinstance(self.value, str) else ""

    @property
    def texts(self) -> tuple[str, ...]:
        """The strings of a list of strings."""
        return tuple(item.text for item in self.items if item.text)

    @property
    def integer(self) -> int | None:
        """The integer, else None."""
        return self.value if isinstance(self.value, int) and not isinstance(self.value, bool) else None

    @property
    def true(self) -> bool:
        """Whether it is the boolean true."""
        return self.value is True

    @property
    def where(self) -> str:
        """``file:line``."""
        return f"{self.file}:{self.line}"

    def said(self, message: str) -> str:
        """Return ``file:line: key.path: message``."""
        text = f"{self.where}: {self.path}: {message}" if self.path else f"{self.where}: {message}"
        return one_line(re.sub(_CREDENTIALS, r"\1<redacted>@", text))


class Bare(Struct, array_like=True, frozen=True, omit_defaults=True):
    """A value and its line in the file: a mapping, a list, a number, a truth value or nothing; or a text.

    A text is `spans`: where each of its pieces begins and ends in the file, in characters; else the text itself.
    """

    line: int
    value: dict[str, Bare] | list[Bare] | str | int | bool | None = None
    spans: list[int] | None = None

    def text(self, whole: str) -> str:
        """Return the text that the spans mean."""
        spans = self.spans or []
        return "".join(whole[begin:end] for begin, end in zip(spans[::2], spans[1::2], strict=True))

    def is_by_place(self) -> bool:
        """Tell whether no text in the tree is there as itself."""
        if isinstance(self.value, dict):
            return all(below.is_by_place() for below in self.value.values())
        if isinstance(self.value, list):
            return all(below.is_by_place() for below in self.value)
        return not isinstance(self.value, str)


def join(path: str, key: str) -> str:
    """Return the key path one key deeper."""
    return f"{path}.{key}" if path else key


def as_number(text: str, path: str) -> int | str:
    """Return a text as the number it is, if the key at the end of a path holds one; else the text."""
    is_number = path.rpartition(".")[2] in INTEGER_KEYS and _DECIMAL.fullmatch(text)
    return int(text) if is_number else text


def plain(node: Node) -> Any:
    """Return the tree as dicts, lists and scalars."""
    if isinstance(node.value, dict):
        return {key: plain(item) for key, item in node.value.items()}
    if isinstance(node.value, list):
        return [plain(item) for item in node.value]
    return node.value


def read_bytes(path: Path) -> bytes:
    """Read a recipe's bytes; raises RecipeError when it is no readable file of a recipe's size."""
    try:
        if path.exists() and not path.is_file():  # opening a pipe would wait for a writer
            found = "a directory" if path.is_dir() else "a pipe or device"
            raise RecipeError(f"expected a YAML file, found {found}", where=str(path))
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise RecipeError("expected a YAML file, found nothing of this name", where=str(path)) from None
    except OSError as error:
        raise RecipeError(f"expected a readable file, found: {error.strerror}", where=str(path)) from error
    if len(data) > MAX_BYTES:
        raise RecipeError("expected a recipe of at most 1 MiB, found a larger file", where=str(path))
    return data


def decoded(data: bytes, path: Path) -> str:
    """Return a file's text; raises RecipeError when it is not UTF-8."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        found = f"0x{data[error.start]:02x}"
        raise RecipeError(f"expected UTF-8 text, found the byte {found}", where=f"{path}:{line}") from None


def described(value: Any) -> str:
    """Return a value in the words of an error message."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return f"{str(value).lower()} (a YAML truth value; quote it to mean the word)"
    if isinstance(value, str):
        shown = value if len(value) <= 60 else value[:57] + "…"
        return f"'{one_line(shown)}'"
    if isinstance(value, int):
        return f"the number {value}"
    return "a list" if isinstance(value, list) else "a mapping"
