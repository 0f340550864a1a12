"""YAML text → a tree of values that know where they were written.

The format is YAML 1.1 as PyYAML's safe loader reads it (https://yaml.org/spec/1.1/), narrowed:

* A number is its own source text (``1.10`` stays ``1.10``), except under the three keys that hold an integer.
* A key occurs once in its mapping; a merge key (``<<``) brings those that are not there. Tags of one's own are refused.
* Aliases may be used, not multiplied: a file that unfolds to more than `MAX_NODES` values is refused.
* Whatever cannot be read is a `RecipeError` of one line, with the file and, where there is one, the line.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml
from msgspec import Struct

from oic.errors import RecipeError, one_line

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

MAX_BYTES = 1 << 20
MAX_NODES = 100_000
MAX_DEPTH = 50
INTEGER_KEYS = frozenset({"index", "passwordMaxAge", "priority"})

_TEXT_TAGS = frozenset(f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "timestamp", "value"))
_BARE_VARIABLE = re.compile(r"""(?<!["'\w$-])\$\{\w+\}""")
_CREDENTIALS = re.compile(r"([A-Za-z][\w+.-]*://)[^/\s'\"]*@")
_DECIMAL = re.compile(r"[+-]?(0|[1-9][0-9]{0,8})", re.ASCII)
_TRUE = frozenset({"yes", "true", "on"})


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
        return one_line(_CREDENTIALS.sub(r"\1<redacted>@", text))


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


def parse(data: bytes, path: Path) -> Node:
    """Return the tree of a YAML file whose top is a mapping; raises RecipeError."""
    text = _decoded(data, path)
    try:
        _check_structure(text, path)
        top = yaml.compose(text, Loader=yaml.CSafeLoader)
    except yaml.MarkedYAMLError as error:
        raise _syntax_error(error, text, path) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, max(error.position, 0)) + 1
        found = f"0x{error.character:02x}" if isinstance(error.character, int) else repr(error.character)
        raise RecipeError(f"expected text, found the control character {found}", where=f"{path}:{line}") from None
    if top is None:
        raise RecipeError("expected a mapping such as 'image: …', found an empty file", where=str(path))
    node = _Reader(path).node(top, top.start_mark.line + 1, "", 0)
    if not isinstance(node.value, dict):
        raise RecipeError(f"expected a mapping such as 'image: …', found {described(node.value)}", where=f"{path}:1")
    return node


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


def _decoded(data: bytes, path: Path) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        found = f"0x{data[error.start]:02x}"
        raise RecipeError(f"expected UTF-8 text, found the byte {found}", where=f"{path}:{line}") from None


def _check_structure(text: str, path: Path) -> None:
    """Refuse a second document, and deep nesting: libyaml's composer recurses in C and would overflow the stack."""
    depth = documents = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif isinstance(event, yaml.DocumentStartEvent):
            documents += 1
        line = event.start_mark.line + 1 if event.start_mark else 1
        if depth > MAX_DEPTH:
            raise _too_deep(path, line)
        if documents > 1:
            raise RecipeError("expected one YAML document, found a second", where=f"{path}:{line}")


def _too_deep(path: Path, line: int) -> RecipeError:
    return RecipeError(f"expected at most {MAX_DEPTH} levels of nesting, found more", where=f"{path}:{line}")


def _syntax_error(error: yaml.MarkedYAMLError, text: str, path: Path) -> RecipeError:
    mark = error.problem_mark or error.context_mark
    line = mark.line if mark else 0
    # libyaml reads up to a line ahead of its events, and has limits of its own there: they differ by version.
    ahead = text[: mark.index] if mark else text
    if sum(map(ahead.count, "[{")) - sum(map(ahead.count, "]}")) > MAX_DEPTH:
        return _too_deep(path, line + 1)
    said = " ".join(part for part in (error.context, error.problem) if part)
    lines = text.splitlines()
    indent = lines[line][: len(lines[line]) - len(lines[line].lstrip())] if line < len(lines) else ""
    hint = "YAML is indented with spaces, there is a tab" if "\t" in indent else None
    if found := _BARE_VARIABLE.search("\n".join(lines[max(line - 1, 0) : line + 1])):
        hint = f'between [ or {{ and its end, a variable is quoted: "{found[0]}"'
    return RecipeError(f"expected YAML, found an error: {said}", where=f"{path}:{line + 1}", hint=hint)


class _Reader:
    """Turns composed nodes into ours, counting them: an alias counts each time it is used."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = 0

    def node(self, node: yaml.Node, line: int, path: str, depth: int) -> Node:
        self.count += 1
        if depth > MAX_DEPTH:
            raise _too_deep(self.path, line)
        if self.count > MAX_NODES:
            raise self.error(line, path, f"expected at most {MAX_NODES} values, found more once aliases are unfolded")
        if isinstance(node, yaml.MappingNode) and node.tag == "tag:yaml.org,2002:map":
            return Node(self.entries(node.value, path, depth), self.path, line, path)
        if isinstance(node, yaml.SequenceNode) and node.tag == "tag:yaml.org,2002:seq":
            items = [
                self.node(item, item.start_mark.line + 1, f"{path}[{number}]", depth + 1)
                for number, item in enumerate(node.value)
            ]
            return Node(items, self.path, line, path)
        if isinstance(node, yaml.ScalarNode):
            return Node(self.scalar(node, line, path), self.path, line, path)
        raise self.error(line, path, "expected a plain value, found a YAML tag")

    def entries(self, pairs: Sequence[tuple[yaml.Node, yaml.Node]], path: str, depth: int) -> dict[str, Node]:
        entries: dict[str, Node] = {}
        merged: list[dict[str, Node]] = []
        for key, value in pairs:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                raise self.error(line, path, "expected a word as key, found a list or mapping")
            if key.tag == "tag:yaml.org,2002:merge":
                merged += self.merged(value, line, path, depth)
                continue
            name = key.value
            if name in entries:
                first = entries[name].line
                raise self.error(line, join(path, name), f"expected each key once, found it here and on line {first}")
            entries[name] = self.node(value, line, join(path, name), depth + 1)
        for other in merged:
            entries = {**other, **entries}
        return entries

    def merged(self, value: yaml.Node, line: int, path: str, depth: int) -> list[dict[str, Node]]:
        """Return what a merge key brings, a mapping or several, the first of which counts most: it comes first."""
        nodes = value.value if isinstance(value, yaml.SequenceNode) else [value]
        if not all(isinstance(node, yaml.MappingNode) for node in nodes):
            raise self.error(line, path, "expected a mapping, or a list of them, after the merge key '<<'")
        return [self.node(node, line, path, depth + 1).entries for node in nodes]

    def scalar(self, node: yaml.ScalarNode, line: int, path: str) -> str | int | bool | None:
        text: str = node.value
        if "\0" in text:
            raise self.error(line, path, "expected text, found the control character 0x00")
        if node.tag == "tag:yaml.org,2002:null":
            return None
        if node.tag == "tag:yaml.org,2002:bool":
            return text.lower() in _TRUE
        if node.tag == "tag:yaml.org,2002:int":
            return as_number(text, path)
        if node.tag in _TEXT_TAGS:
            return text
        raise self.error(line, path, "expected a plain value, found a YAML tag")

    def error(self, line: int, path: str, message: str, hint: str | None = None) -> RecipeError:
        said = one_line(f"{path}: {message}" if path else message)
        return RecipeError(said, where=f"{self.path}:{line}", hint=hint)
