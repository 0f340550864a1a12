"""YAML text → what a file says, and where: the `Bare` tree, before it has a name.

The format is YAML 1.1 as PyYAML's safe loader reads it (https://yaml.org/spec/1.1/), narrowed:

* A number is its own source text (``1.10`` stays ``1.10``), except under the three keys that hold an integer.
* A key occurs once in its mapping; a merge key (``<<``) brings those that are not there. Tags of one's own are refused.
* Aliases may be used, not multiplied: a file that unfolds to more than `MAX_NODES` values is refused.
* Whatever cannot be read is a `RecipeError` of one line, with the file and, where there is one, the line.
* PyYAML takes as long to import as the rest of the config: `oic.config.trees` asks for this module when it needs it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import yaml

from oic.config.source import Bare, as_number, described, join
from oic.errors import RecipeError, one_line

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

MAX_NODES = 100_000
MAX_DEPTH = 50
MAX_PATH = 1000
"""Characters of a key path: a long key that aliases repeat would fill the memory."""

_TEXT_TAGS = frozenset(f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "timestamp", "value"))
_BARE_VARIABLE = re.compile(r"""(?<!["'\w$-])\$\{\w+\}""")
_TRUE = frozenset({"yes", "true", "on"})


def bare_tree(text: str, path: Path) -> Bare:
    """Return the tree of a YAML file whose top is a mapping; raises RecipeError."""
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
    bare = _Reader(path, text).node(top, top.start_mark.line + 1, "", 0)
    if not isinstance(bare.value, dict):
        found = described(bare.text(text) if bare.spans is not None else bare.value)
        raise RecipeError(f"expected a mapping such as 'image: …', found {found}", where=f"{path}:1")
    return bare


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
    """Turns composed nodes into bare ones, counting them: an alias counts each time it is used."""

    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        self.text = text
        self.room = len(text)
        self.count = 0

    def node(self, node: yaml.Node, line: int, path: str, depth: int) -> Bare:
        self.count += 1
        if depth > MAX_DEPTH:
            raise _too_deep(self.path, line)
        if self.count > MAX_NODES:
            raise self.error(line, path, f"expected at most {MAX_NODES} values, found more once aliases are unfolded")
        if isinstance(node, yaml.MappingNode) and node.tag == "tag:yaml.org,2002:map":
            return Bare(line, self.entries(node.value, path, depth))
        if isinstance(node, yaml.SequenceNode) and node.tag == "tag:yaml.org,2002:seq":
            items = [
                self.node(item, item.start_mark.line + 1, f"{path}[{number}]", depth + 1)
                for number, item in enumerate(node.value)
            ]
            return Bare(line, items)
        if isinstance(node, yaml.ScalarNode):
            return self.scalar(node, line, path)
        raise self.error(line, path, "expected a plain value, found a YAML tag")

    def entries(self, pairs: Sequence[tuple[yaml.Node, yaml.Node]], path: str, depth: int) -> dict[str, Bare]:
        entries: dict[str, Bare] = {}
        merged: list[dict[str, Bare]] = []
        for key, value in pairs:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                raise self.error(line, path, "expected a word as key, found a list or mapping")
            if key.tag == "tag:yaml.org,2002:merge":
                merged += self.merged(value, line, path, depth)
                continue
            name = key.value
            if len(path) + len(name) > MAX_PATH:
                raise self.error(line, path, f"expected a key path of at most {MAX_PATH} characters, found more")
            if name in entries:
                first = entries[name].line
                raise self.error(line, join(path, name), f"expected each key once, found it here and on line {first}")
            entries[name] = self.node(value, line, join(path, name), depth + 1)
        for other in merged:
            entries = {**other, **entries}
        return entries

    def merged(self, value: yaml.Node, line: int, path: str, depth: int) -> list[dict[str, Bare]]:
        """Return what a merge key brings, a mapping or several, the first of which counts most: it comes first."""
        nodes = value.value if isinstance(value, yaml.SequenceNode) else [value]
        if not all(isinstance(node, yaml.MappingNode) for node in nodes):
            raise self.error(line, path, "expected a mapping, or a list of them, after the merge key '<<'")
        found = (self.node(node, line, path, depth + 1).value for node in nodes)
        return [value for value in found if isinstance(value, dict)]

    def scalar(self, node: yaml.ScalarNode, line: int, path: str) -> Bare:
        text: str = node.value
        if "\0" in text:
            raise self.error(line, path, "expected text, found the control character 0x00")
        if node.tag == "tag:yaml.org,2002:null":
            return Bare(line)
        if node.tag == "tag:yaml.org,2002:bool":
            return Bare(line, text.lower() in _TRUE)
        if node.tag == "tag:yaml.org,2002:int":
            number = as_number(text, path)
            return Bare(line, number) if isinstance(number, int) else self.written(node, line)
        if node.tag in _TEXT_TAGS:
            return self.written(node, line)
        raise self.error(line, path, "expected a plain value, found a YAML tag")

    def written(self, node: yaml.ScalarNode, line: int) -> Bare:
        """Return a text by the places of its lines in the file.

        As itself where it was written in another way, and once aliases have made more of the texts than the file has
        characters: they share it.
        """
        self.room -= len(node.value)
        if self.room < 0:
            return Bare(line, node.value)
        spans, at, end = [], node.start_mark.index, node.end_mark.index
        for piece in node.value.splitlines(keepends=True):
            at = self.text.find(piece, at, end)
            if at < 0:
                return Bare(line, node.value)
            spans += [at, at := at + len(piece)]
        return Bare(line, spans=spans)

    def error(self, line: int, path: str, message: str, hint: str | None = None) -> RecipeError:
        said = one_line(f"{path}: {message}" if path else message)
        return RecipeError(said, where=f"{self.path}:{line}", hint=hint)
