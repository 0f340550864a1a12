"""Compares two builds of a layer entry by entry, and classifies the differences of files.

Each tree is read with the tree as the root, so that no link leads out of it.
"""

from __future__ import annotations

import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from oic.chroot.tree import facts_of, walk
from oic.files import open_regular
from oic.image.tree.privatekeys import MAX_SEARCHED
from oic.process import child
from oic.reproduce.content import what_differs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from oic.chroot.tree import Facts
    from oic.reproduce.content import Span

_MAX_READ = 200
"""How many changed files are read; of further ones, only the names are reported."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A path that differs between two trees, and descriptions of how."""

    path: str
    what: tuple[str, ...]


def changes_between(first: Path, second: Path, spans: tuple[Span, Span]) -> list[Change]:
    """Return the differences of two trees in the order of their paths. Runs in a namespace."""
    before, after = child.inside(first, _facts), child.inside(second, _facts)
    paths = sorted(path for path in {*before, *after} if before.get(path) != after.get(path))
    both = [path for path in paths if path in before and path in after]
    changed = [path for path in both if before[path].content != after[path].content]
    read = [path for path in changed if _is_file(before[path], after[path])][:_MAX_READ]
    mine, other = (child.inside(tree, _contents, read) for tree in (first, second))
    changes = []
    for path in paths:
        if path in mine:
            what = what_differs(mine[path], other[path], spans)
        elif path in both:
            what = [*_kind_or_content(before[path], after[path])]
        else:
            what = ["only in the first build" if path in before else "only in the second build"]
        facts = _attribute_differences(before[path], after[path]) if path in both else ()
        changes.append(Change(path=f"/{path}", what=(*what, *facts)))
    return changes


def _facts(root: Path) -> dict[str, Facts]:
    return {path: facts_of(root / path, status) for path, status in walk(root)}


def _is_file(*facts: Facts) -> bool:
    return all(stat.S_ISREG(entry.mode) for entry in facts)


def _contents(root: Path, paths: Sequence[str]) -> dict[str, bytes]:
    found = {}
    for path in paths:
        with open_regular(root / path) as file:
            found[path] = file.read(MAX_SEARCHED)
    return found


def _kind_or_content(before: Facts, after: Facts) -> Iterator[str]:
    if stat.S_IFMT(before.mode) != stat.S_IFMT(after.mode):
        yield "another kind of file"
    elif before.content != after.content:
        yield f"a link to {before.content} and to {after.content}" if stat.S_ISLNK(before.mode) else "other content"


def _attribute_differences(before: Facts, after: Facts) -> Iterator[str]:
    if stat.S_IMODE(before.mode) != stat.S_IMODE(after.mode):
        yield f"mode {stat.S_IMODE(before.mode):o} and {stat.S_IMODE(after.mode):o}"
    if (before.user, before.group) != (after.user, after.group):
        yield f"owner {before.user}:{before.group} and {after.user}:{after.group}"
    if before.mtime != after.mtime:
        yield f"time {before.mtime} and {after.mtime}"
    if before.links != after.links:
        yield f"{before.links} and {after.links} names"
    if before.attributes != after.attributes:
        yield "extended attributes"
