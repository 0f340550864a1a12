"""``${name}`` in any value of a recipe, replaced from the command line, else from ``OIC_VAR_name`` of the environment.

* Nothing else of the environment: a recipe is often somebody else's, and a builder's environment holds his tokens.
* A name that has no value is an error; a value is never searched for names again.
* ``$${name}`` is how a shell command keeps a ``${name}`` of its own. Anything else with a ``$`` is left alone.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from oic.config.schema import schema_of
from oic.config.source import Node, as_number

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PREFIX = "OIC_VAR_"
_NAME = re.compile(r"\$(\$?)\{([A-Za-z_][A-Za-z0-9_]*)\}")


def _typed(text: str, node: Node) -> str | int | bool:
    """Return what a value that was one variable means: a number or truth value where its key holds one."""
    if not _NAME.fullmatch(node.text):
        return text
    if text in ("true", "false") and node.path.rpartition(".")[2] in _truth_keys():
        return text == "true"
    return as_number(text, node.path)


@cache
def _truth_keys() -> frozenset[str]:
    """Return the keys that hold a truth value, wherever they stand."""
    schema = schema_of("recipe")
    mappings = [schema, *schema["$defs"].values()]
    return frozenset(
        key
        for mapping in mappings
        for key, field in mapping.get("properties", {}).items()
        if field.get("$ref") == "#/$defs/boolean"
    )


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:  # bytes of the command line or the environment that are no UTF-8
        return False
    return True


class Variables:
    """Where values come from, which were used, in which places, and what was wrong."""

    def __init__(self, given: Mapping[str, str], environment: Mapping[str, str]) -> None:
        self._given = given
        self._environment = environment
        self.used: dict[str, str] = {}
        self.places: dict[tuple[Path, int, str], tuple[str, ...]] = {}
        self.problems: list[tuple[Node, str]] = []

    def substituted(self, node: Node) -> Node:
        """Return the tree with every name replaced; a name without a value is noted and stays."""
        if isinstance(node.value, dict):
            entries = {key: self.substituted(item) for key, item in node.value.items()}
            return Node(entries, node.file, node.line, node.path)
        if isinstance(node.value, list):
            return Node([self.substituted(item) for item in node.value], node.file, node.line, node.path)
        if isinstance(node.value, str) and "${" in node.value:
            text = _NAME.sub(lambda match: self._replacement(match, node), node.value)
            names = [name for escape, name in _NAME.findall(node.value) if not escape]
            self.places[node.file, node.line, node.path] = tuple(dict.fromkeys(names))
            return Node(_typed(text, node), node.file, node.line, node.path)
        return node

    def _replacement(self, match: re.Match[str], node: Node) -> str:
        escape, name = match.groups()
        if escape:
            return f"${{{name}}}"
        value = self._given.get(name, self._environment.get(PREFIX + name))
        if value is None:
            hint = f"give var.{name}=…, or {PREFIX}{name} in the environment; $${{{name}}} is left to a shell"
            if name in self._environment:
                hint = f"that of the environment is not read: give var.{name}=…, or it as {PREFIX}{name}"
            self.problems.append((node, f"expected a value for ${{{name}}}, found none ({hint})"))
            return match.group()
        if not _is_text(value):
            self.problems.append((node, f"expected UTF-8 text as the value of ${{{name}}}, found other bytes"))
            return match.group()
        self.used[name] = value
        return value
