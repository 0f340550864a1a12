"""A whole recipe as text: YAML that can be edited and built, or JSON for programs.

* It is complete by itself (``defaults: false``): what is deleted from it is not in the image, and built in the place of
  the recipe it means the same.
* Passwords are ``<redacted>`` unless they are asked for; a build refuses that word in place of a password.
* With origins, each value is followed by the file and line it comes from, and by the variables in it.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from oic.config.additional import find, places_of
from oic.config.schema import schema_of
from oic.config.secure_boot import is_file
from oic.config.source import Node, plain
from oic.config.unbuilt import REDACTED
from oic.config.variables import Variables
from oic.config.whole import read_whole
from oic.values import to_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from oic.config.additional import Places
    from oic.config.whole import Whole

_DROPPED = frozenset({"default", "include", "extends", "lock", "sbomPackageMetadata"})
_WITHOUT_EFFECT = frozenset({"name", "uki"})
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_PACKAGE_FILES = re.compile(r"packageRepositories\[\d+\]\.packages")
_FILE_KEYS = frozenset(
    {"secureBootDBKey", "secureBootDBCrt", "secureBootDBCer", "passphraseFile", "sbomPath", "answers"}
)


def recipe_text(  # noqa: PLR0913 - what a user may ask for
    recipe: Path,
    variables: Mapping[str, str],
    *,
    lock: Path | None = None,
    as_json: bool = False,
    origins: bool = False,
    secrets: bool = False,
) -> str:
    """Return a recipe, known to be valid, merged with all it is made of; `lock` is the lock file it is built from."""
    lookup = Variables(variables, os.environ)
    whole = read_whole(recipe, lookup, [])
    places = places_of(recipe, whole.parts, whole.data.folder)
    tree = _complete(whole, _Printer(recipe.absolute().parent, places, secrets=secrets), lock)
    where = {_key(node): text for node, text in _origins(tree, lookup, recipe, whole)} if origins else {}
    if as_json:
        return _json({"recipe": plain(tree), "origins": _by_path(tree, where)} if origins else plain(tree))
    head = f"# {recipe.name} and the defaults of {whole.data.id}, complete by itself.\n"
    return head + _with_comments(_yaml(_escaped(tree)), tree, where).rstrip()


class _Printer:
    """What of a node is printed in its place: a path that is right in the recipe's directory, a redacted secret."""

    def __init__(self, directory: Path, places: Places, *, secrets: bool) -> None:
        self._directory = directory
        self._places = places
        self._secrets = secrets

    def node(self, node: Node) -> Node:
        if isinstance(node.value, dict):
            entries = {key: self._entry(key, node, below) for key, below in node.value.items()}
            return Node(entries, node.file, node.line, node.path)
        if isinstance(node.value, list):
            return Node([self.node(item) for item in node.value], node.file, node.line, node.path)
        return node

    def _entry(self, key: str, above: Node, node: Node) -> Node:
        text = node.text
        if key == "password" and text and not self._secrets:
            text = REDACTED
        elif key == "local" and text:
            text = self._local(node)
        elif is_file(text) and (key in _FILE_KEYS or (key == "path" and above.path.endswith("baseline.source"))):
            text = self._path(node)
        elif key == "packages" and _PACKAGE_FILES.fullmatch(node.path):
            return Node([self._package_file(one) for one in node.items], node.file, node.line, node.path)
        return Node(text, node.file, node.line, node.path) if text != node.text else self.node(node)

    def _package_file(self, node: Node) -> Node:
        if node.text:
            return Node(self._path(node), node.file, node.line, node.path)
        url = node.get("url")
        entries = {**node.entries, "url": Node(self._path(url), url.file, url.line, url.path)}
        return Node(entries, node.file, node.line, node.path)

    def _local(self, node: Node) -> str:
        """Return the text by which the recipe finds a file, the same that is found now."""
        found = Path(os.path.normpath(find(node, self._places)))
        if not os.path.lexists(found):
            return os.path.relpath(node.file.absolute().parent / node.text, self._directory)
        folders = [self._directory, *([self._places.defaults] if self._places.defaults else [])]
        for folder in folders:
            text = str(found.relative_to(folder)) if found.is_relative_to(folder) else ""
            named = Node(text, self._directory / "recipe", 0, "")
            if text and Path(os.path.normpath(find(named, self._places))) == found:
                return text
        return str(found)

    def _path(self, node: Node) -> str:
        """Return a path that is relative to the file that names it as one of the recipe's directory."""
        if "://" in node.text or Path(node.text).is_absolute() or node.file.absolute().parent == self._directory:
            return node.text
        path = Path(os.path.normpath(node.file.absolute().parent / node.text))
        return str(path.relative_to(self._directory) if path.is_relative_to(self._directory) else path)


def _complete(whole: Whole, printer: _Printer, lock: Path | None) -> Node:
    tree = whole.tree
    entries = {key: value for key, value in tree.entries.items() if key not in _DROPPED}
    entries["defaults"] = Node(value=False, file=tree.file, line=tree.line, path="defaults")
    if lock:
        named = whole.parts[-1].tree.get("lock")
        entries["lock"] = Node(named.text or lock.name, named.file, named.line, named.path)
    system = tree.get("systemConfig")
    if kernel := system.get("kernel").entries:
        kept = {key: value for key, value in kernel.items() if key not in _WITHOUT_EFFECT}
        below = {**system.entries, "kernel": Node(kept, system.file, system.line, "systemConfig.kernel")}
        entries["systemConfig"] = Node(below, system.file, system.line, system.path)
    schema = schema_of("recipe")
    return _ordered(printer.node(Node(entries, tree.file, tree.line, "")), schema, schema)


def _ordered(node: Node, schema: dict[str, Any], whole: dict[str, Any]) -> Node:
    """Return the tree with keys in the order of the schema, which is that of the page."""
    while "$ref" in schema:
        schema = whole["$defs"][schema["$ref"].rpartition("/")[2]]
    if isinstance(node.value, list):
        items = [_ordered(item, schema.get("items", {}), whole) for item in node.value]
        return Node(items, node.file, node.line, node.path)
    if not isinstance(node.value, dict):
        return node
    known: dict[str, Any] = schema.get("properties", {})
    names = sorted(node.value, key=lambda name: list(known).index(name) if name in known else len(known))
    entries = {name: _ordered(node.value[name], known.get(name, {}), whole) for name in names}
    return Node(entries, node.file, node.line, node.path)


def _escaped(tree: Node) -> Any:
    """Return the plain tree in which a ``${name}`` that is left is one of a shell's."""

    def escape(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: escape(item) for key, item in value.items()}
        if isinstance(value, list):
            return [escape(item) for item in value]
        return _VARIABLE.sub(r"$${\1}", value) if isinstance(value, str) else value

    return escape(plain(tree))


class _Dumper(yaml.SafeDumper):
    """Block style with lists indented below their key, several lines as they are, and no aliases."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002 - PyYAML's
        super().increase_indent(flow, indentless=False)

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - as above
        return True


def _represented(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    lines = text.split("\n")
    is_block = all(line.isprintable() and not line.endswith(" ") for line in lines)
    # Several lines that are no block stand on one, in double quotes: an origin follows it.
    style = None if text.isprintable() else "|" if is_block else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represented)


def _yaml(value: Any) -> str:
    text = yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10**9)
    # What is not printable stands in double quotes only, where it has an escape.
    return "".join(one if one.isprintable() or one == "\n" else f"\\U{ord(one):08x}" for one in text)


def _json(value: Any) -> str:
    text = to_json(value).rstrip()
    return "".join(one if one.isprintable() or one == "\n" else json.dumps(one)[1:-1] for one in text)


def _origins(tree: Node, lookup: Variables, recipe: Path, whole: Whole) -> Iterator[tuple[Node, str]]:
    folder = recipe.absolute().parent
    for node in _leaves(tree):
        if node.path == "defaults":
            continue
        file = node.file.absolute()
        shown = file.relative_to(folder) if file.is_relative_to(folder) else file
        if whole.data.folder and file.is_relative_to(whole.data.folder):
            shown = Path(whole.data.id) / file.relative_to(whole.data.folder)
        names = lookup.places.get((node.file, node.line, node.path), ())
        yield node, ", ".join((f"{shown}:{node.line}", *(f"${{{name}}}" for name in names)))


def _leaves(node: Node) -> Iterator[Node]:
    below = [*node.entries.values(), *node.items]
    if not below:
        yield node
    for one in below:
        yield from _leaves(one)


def _key(node: Node) -> tuple[Path, int, str]:
    return node.file, node.line, node.path


def _by_path(tree: Node, where: Mapping[tuple[Path, int, str], str], path: str = "") -> dict[str, str]:
    found = {path: where[_key(tree)]} if _key(tree) in where and not tree.entries and not tree.items else {}
    for key, below in tree.entries.items():
        found |= _by_path(below, where, f"{path}.{key}".lstrip("."))
    for number, below in enumerate(tree.items):
        found |= _by_path(below, where, f"{path}[{number}]")
    return found


def _with_comments(text: str, tree: Node, where: Mapping[tuple[Path, int, str], str]) -> str:
    """Return YAML with the origin of each value as a comment on the line where the value begins."""
    if not where:
        return text
    lines = text.split("\n")
    composed = yaml.compose(text, Loader=yaml.CSafeLoader)
    for line, node in _begins(composed, tree):
        if _key(node) in where:
            lines[line] += f"  # {where[_key(node)]}"
    return "\n".join(lines)


def _begins(composed: Any, tree: Node) -> Iterator[tuple[int, Node]]:
    """Yield the line of each value and its node: the text was made of the tree, so both have one shape."""
    if not tree.entries and not tree.items:
        yield composed.start_mark.line, tree
    for (_, below), node in zip(composed.value, tree.entries.values(), strict=True) if tree.entries else ():
        yield from _begins(below, node)
    for below, node in zip(composed.value, tree.items, strict=True) if tree.items else ():
        yield from _begins(below, node)
