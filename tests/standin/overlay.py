"""The additions and changes of an entry to the content of a package."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .payload import Item

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from .catalogue import Entry

EPOCH = 1_717_200_000
"""2024-06-01: the time of generated files."""


def overlaid(entry: Entry, files: Mapping[str, Any], items: dict[str, Item], tree: Path) -> dict[str, Item]:
    """Apply the changes of `entry` below `tree`; `files` are its added files. Return all items of the package."""
    made = dict(items)
    for path, value in files.items():
        _add(made, _write(tree, path.strip("/"), value))
    for path, target in entry.links.items():
        _place(tree, path).symlink_to(target)
        _add(made, Item(path=path.strip("/"), kind="link"))
    for path, mode in entry.directories.items():
        (tree / path.strip("/")).mkdir(parents=True, exist_ok=True)
        _add(made, Item(path=path.strip("/"), kind="directory", mode=int(mode, 8)))
    for path, target in entry.moves.items():
        (tree / path.strip("/")).rename(_place(tree, target))
        moved = made.pop(path.strip("/"))
        _add(made, replace(moved, path=target.strip("/"), configuration=target.startswith("/etc/")))
    for path, bundle in entry.bundles.items():
        text = "".join(bundle.get("each", "") + file.read_text() for file in sorted(tree.glob(bundle["of"])))
        _add(made, replace(_write(tree, path.strip("/"), text), configuration=False))
    for path, edits in entry.edits.items():
        for pattern, replacement in edits:
            _edit(tree / path.strip("/"), pattern, replacement)
    for path, mode in entry.ghosts.items():
        _place(tree, path).touch()
        _add(made, Item(path=path.strip("/"), kind="ghost", mode=int(mode, 8)))
    return _with_attributes(entry, made)


def _add(items: dict[str, Item], item: Item) -> None:
    items[item.path] = item


def _place(tree: Path, path: str) -> Path:
    place = tree / path.strip("/")
    place.parent.mkdir(parents=True, exist_ok=True)
    return place


def _write(tree: Path, path: str, value: Any) -> Item:
    fields = value if isinstance(value, dict) else {"text": value}
    place = _place(tree, path)
    place.unlink(missing_ok=True)
    place.write_text(fields["text"])
    os.utime(place, (EPOCH, EPOCH))
    mode = int(str(fields.get("mode", "644")), 8)
    return Item(path=path, kind="file", mode=mode, configuration=path.startswith("etc/"))


def _edit(file: Path, pattern: str, replacement: str) -> None:
    time = file.stat().st_mtime
    content, count = re.subn(pattern.encode(), replacement.encode(), file.read_bytes(), flags=re.MULTILINE)
    if not count:
        raise AssertionError(f"{file.name}: nothing matches {pattern}")
    file.write_bytes(content)
    os.utime(file, (time, time))


def _with_attributes(entry: Entry, items: dict[str, Item]) -> dict[str, Item]:
    stated = {path.strip("/"): words.split() for path, words in entry.attributes.items()}
    for path, (mode, owner, group) in stated.items():
        items[path] = replace(items[path], mode=int(mode, 8), owner=owner, group=group)
    for path, capabilities in entry.capabilities.items():
        items[path.strip("/")] = replace(items[path.strip("/")], capabilities=capabilities)
    return items
