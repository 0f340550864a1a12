"""The tables and examples of ``docs/recipe.md``, made from the schema, which is the one source of what a field means.

``python -m config.page`` in ``tests/`` writes them between the marks that name them, ``<!-- fields: user -->`` and
``<!-- end -->``; what is between the blocks is written by hand.

Of a field the schema has ``description``; what it is by default (``default``, or ``x-default`` in words); ``x-built``,
what of it a build does, unless that is everything. ``examples`` of a mapping have, together, each of its fields.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from oic.config.schema import schema_of

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = Path(__file__).parents[2] / "docs/recipe.md"
PLACES = {
    "recipe": (),
    "metadata": ("metadata",),
    "image": ("image",),
    "target": ("target",),
    "disk": ("disk",),
    "partition": ("disk", "partitions"),
    "packageRepository": ("packageRepositories",),
    "systemConfig": ("systemConfig",),
    "kernel": ("systemConfig", "kernel"),
    "bootloader": ("systemConfig", "bootloader"),
    "immutability": ("systemConfig", "immutability"),
    "fde": ("systemConfig", "fde"),
    "network": ("systemConfig", "network"),
    "user": ("systemConfig", "users"),
    "additionalFile": ("systemConfig", "additionalFiles"),
    "configuration": ("systemConfig", "configurations"),
    "services": ("systemConfig", "services"),
    "baseline": ("baseline",),
    "overlayPolicy": ("overlayPolicy",),
    "iso": ("iso",),
}
"""The mappings of the schema that have a table of their own, and where in a recipe they are."""
LISTS = frozenset({"partition", "packageRepository", "user", "additionalFile", "configuration"})
_BLOCK = re.compile(r"<!-- fields: (\w+) -->\n.*?<!-- end -->\n", re.DOTALL)


def mapping(name: str) -> dict[str, Any]:
    """Return a mapping's schema."""
    schema = schema_of("recipe")
    found: dict[str, Any] = schema if name == "recipe" else schema["$defs"][name]
    return found


def examples(name: str) -> list[Any]:
    """Return the pieces of a recipe that a mapping's examples are: those of a list as one."""
    items: list[Any] = mapping(name)["examples"]
    pieces: list[Any] = [items] if name in LISTS else items
    for key in reversed(PLACES[name]):
        pieces = [{key: piece} for piece in pieces]
    return pieces


def rows(name: str, schema: dict[str, Any], above: str = "") -> Iterator[tuple[str, dict[str, Any], bool]]:
    """Yield the key path of each field below a mapping, its schema, and whether it is required."""
    defs = schema_of("recipe")["$defs"]
    for key, field in schema["properties"].items():
        whole = {**defs[field["$ref"].rpartition("/")[2]], **field} if "$ref" in field else field
        item = whole.get("items", {}) if whole.get("type") == "array" else {}
        item = {**defs[item["$ref"].rpartition("/")[2]], **item} if "$ref" in item else item
        below = item or whole
        yield f"{above}{key}{'[]' if item else ''}", whole, key in schema.get("required", ())
        own = field.get("$ref", item.get("$ref", "")).rpartition("/")[2]
        if "properties" in below and own not in PLACES:
            yield from rows(name, below, f"{above}{key}{'[]' if item else ''}.")


def table(name: str) -> str:
    """Return the table of a mapping's fields."""
    lines = ["| field | default | meaning | built |", "|---|---|---|---|"]
    for path, field, is_required in rows(name, mapping(name)):
        said = field["description"]
        values = _values(field)
        said = f"{said} {values}" if values else said
        lines.append(f"| `{path}` | {_default(field, required=is_required)} | {said} | {field.get('x-built', 'yes')} |")
    return "\n".join(lines) + "\n"


def _values(field: dict[str, Any]) -> str:
    values = [value for value in field.get("enum", field.get("items", {}).get("enum", ())) if value]
    return f"One of {', '.join(f'`{value}`' for value in values)}." if values else ""


def _default(field: dict[str, Any], *, required: bool) -> str:
    if "default" in field:
        return f"`{json.dumps(field['default']) if isinstance(field['default'], (bool, int)) else field['default']}`"
    return "required" if required else str(field.get("x-default", "none"))


class _Dumper(yaml.SafeDumper):
    """Lists below their key, and lists of words on one line."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002 - PyYAML's
        super().increase_indent(flow, indentless=False)

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - as above
        return True


def _listed(dumper: yaml.SafeDumper, items: list[Any]) -> yaml.SequenceNode:
    return dumper.represent_sequence(
        "tag:yaml.org,2002:seq", items, flow_style=all(isinstance(item, str) and len(item) < 30 for item in items)
    )


_Dumper.add_representer(list, _listed)


def yaml_of(piece: Any) -> str:
    """Return a piece of a recipe as its text."""
    text: str = yaml.dump(piece, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)
    return text


def block(name: str) -> str:
    """Return all that stands between two marks."""
    shown = "\n---\n".join(yaml_of(piece).rstrip() for piece in examples(name))
    return f"<!-- fields: {name} -->\n{table(name)}\n```yaml\n{shown}\n```\n<!-- end -->\n"


def page(text: str) -> str:
    """Return the page with every block made anew."""
    return _BLOCK.sub(lambda match: block(match[1]), text)


def named(text: str) -> list[str]:
    """Return the mappings whose blocks a page has."""
    return _BLOCK.findall(text)


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
