"""A tree against a JSON Schema (2020-12, https://json-schema.org/draft/2020-12), in a user's words.

* A sub-schema's ``title`` is what a message says was expected.
* ``$`` in a pattern is the end of the text, as ECMA 262 has it, not Python's "or before a last newline".
* jsonschema takes a tenth of a second to import: only `problems_of` does it.
"""

from __future__ import annotations

import difflib
import json
import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from oic.config.source import described, plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from jsonschema import ValidationError

    from oic.config.source import Node


def schema_bytes(name: str) -> bytes:
    """Return a shipped schema's text: ``recipe`` or ``distribution``."""
    return (files("oic") / "schemas" / f"{name}.schema.json").read_bytes()


def schema_of(name: str) -> dict[str, Any]:
    """Return a shipped schema."""
    schema: dict[str, Any] = json.loads(schema_bytes(name))
    return schema


def problems_of(tree: Node, name: str, *, needs: bool = True) -> list[tuple[Node, str]]:
    """Return every place where a tree is not as its schema wants it; without `needs`, the top may lack keys."""
    found: list[tuple[Node, str]] = []
    for error in _validator(name).iter_errors(plain(tree)):
        if error.validator == "required" and not needs and not error.absolute_path:
            continue
        found.extend(_problems(error, _node_at(tree, error.absolute_path)))
    return found


def is_field(path: str) -> bool:
    """Tell whether a recipe has a field of that key path, ``systemConfig.immutability`` say."""
    whole = json.loads(schema_bytes("recipe"))
    node = whole
    for key in path.split("."):
        node = node.get("properties", {}).get(key, {})
        node = whole["$defs"][node["$ref"].rpartition("/")[2]] if "$ref" in node else node
    return bool(node)


def did_you_mean(word: str, known: Iterable[str], *, ending: str = "") -> str:
    """Return ``; did you mean 'x'?`` when a known word is near, else nothing; `ending` is added to that word."""
    lowered = {item.lower(): item for item in known}
    near = difflib.get_close_matches(word.lower(), lowered, n=1, cutoff=0.6)
    return f"; did you mean '{lowered[near[0]]}{ending}'?" if near else ""


@cache
def _validator(name: str) -> Any:
    from jsonschema import Draft202012Validator, ValidationError  # noqa: PLC0415  see the module's third rule
    from jsonschema.validators import extend  # noqa: PLC0415

    def pattern(_validator: Any, wanted: str, instance: Any, _schema: Any) -> Iterator[ValidationError]:
        if isinstance(instance, str) and not re.search(re.sub(r"\$$", r"\\Z", wanted), instance):
            yield ValidationError(f"{instance!r} does not match {wanted!r}")

    def required(_validator: Any, wanted: list[str], instance: Any, _schema: Any) -> Iterator[ValidationError]:
        if isinstance(instance, dict) and not set(wanted) <= set(instance):
            yield ValidationError("lacks keys")

    extended: Any = extend  # jsonschema's stubs leave it without types
    return extended(Draft202012Validator, {"pattern": pattern, "required": required})(json.loads(schema_bytes(name)))


def _node_at(tree: Node, path: Iterable[str | int]) -> Node:
    node = tree
    for part in path:
        node = node.items[part] if isinstance(part, int) else node.get(part)
    return node


def _problems(error: ValidationError, node: Node) -> Iterator[tuple[Node, str]]:
    schema: Any = error.schema
    wanted: Any = error.validator_value
    if error.validator == "additionalProperties":
        known = list(schema.get("properties", {}))
        for key in sorted(set(node.entries) - set(known)):
            hint = did_you_mean(key, known) or f"; known are {', '.join(known)}"
            yield node.get(key), f"expected a known key, found '{key}'{hint}"
    elif error.validator == "required":
        for key in wanted:
            if key not in node.entries:
                yield node.get(key), f"expected {_expected(schema['properties'].get(key, {}))}, found nothing"
    elif error.validator == "enum":
        words = [str(item) for item in wanted if item]
        near = did_you_mean(node.text, words) if node.text else ""
        yield node, f"expected one of {', '.join(words)}, found {described(node.value)}{near}"
    elif error.validator in ("minItems", "minProperties"):
        yield node, f"expected {_expected(schema)}, found an empty one"
    else:
        yield node, f"expected {_expected(schema)}, found {_found(node)}"


def _found(node: Node) -> str:
    if node.path.endswith("password") and isinstance(node.value, str):
        return "one with other characters (not shown)"
    if isinstance(node.value, str) and "PRIVATE KEY" in node.value:
        return "a private key (not shown)"
    return described(node.value)


def _expected(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        schema = json.loads(schema_bytes("recipe"))["$defs"][schema["$ref"].rpartition("/")[2]]
    return str(schema.get("title", "something else"))
