"""``explain``: what the next build runs and why, in the words of the recipe and with its lines."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from oic.config.variables import Variables
from oic.config.whole import read_whole
from oic.tasks.outlook import FRESH, MAY_RUN, RUNS, Outlook, outlooks

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from pathlib import Path

    from oic.config.source import Node
    from oic.stage import Stage
    from oic.tasks.changes import Change

_KEYS_OF_ENTRIES = ("name", "final", "cmd", "id", "codename", "mountPoint", "key")


class Explained:
    """What a build does with a recipe's stages, and where the recipe says what changed."""

    def __init__(
        self, recipe: Path, stages: Sequence[Stage[Any]], run: Collection[str], variables: Mapping[str, str]
    ) -> None:
        self.recipe = recipe
        self.outlooks = outlooks(stages, run)
        self._whole = read_whole(recipe, Variables(variables, os.environ), [])

    def lines(self, name: str) -> Iterator[str]:
        """Yield a line of counts, and one for each stage; `name` is what the user calls the recipe."""
        counts = {state: sum(one.state == state for one in self.outlooks) for state in (RUNS, MAY_RUN, FRESH)}
        if counts[FRESH] == len(self.outlooks):
            yield f"{name}: everything is up to date"
            return
        runs = f"{counts[RUNS]} {'stage runs' if counts[RUNS] == 1 else 'stages run'}"
        yield f"{name}: {runs}, {counts[MAY_RUN]} may run, {counts[FRESH]} up to date"
        width = max(len(one.stage.name) for one in self.outlooks)
        for one in self.outlooks:
            why = "; ".join(one.reasons if one.after else (self._said(change) for change in one.why))
            yield f"  {one.stage.name:{width}}  {one.state}{f': {why}' if why else ''}"

    def plain(self) -> dict[str, Any]:
        """Return the same for programs."""
        return {"recipe": str(self.recipe), "stages": [self._entry(one) for one in self.outlooks]}

    def _entry(self, one: Outlook) -> dict[str, Any]:
        why = [{"change": change.text, "where": self._where(change)} for change in one.why]
        return {"name": one.stage.name, "state": one.state, "why": why, "after": list(one.after)}

    def _said(self, change: Change) -> str:
        where = self._where(change)
        return f"{change.text} ({where})" if where else change.text

    def _where(self, change: Change) -> str:
        """Return the file and line of what a change is of, as near as the recipe has it; empty for none."""
        node = _found(self._whole.tree, change.place) if change.place else None
        if node is None:
            return ""
        file, folder = node.file.absolute(), self.recipe.absolute().parent
        if self._whole.data.folder and file.is_relative_to(self._whole.data.folder):
            return f"{self._whole.data.id}'s defaults"
        return f"{file.relative_to(folder) if file.is_relative_to(folder) else file}:{node.line}"


def _found(tree: Node, place: Sequence[str]) -> Node | None:
    """Return the last node that the keys and entries of a place lead to; None where the recipe has not even one."""
    node, found = tree, None
    for step in place:
        below = node.get(step) if node.entries else _entry(node, step)
        if below is None or below.value is None:
            break
        node = found = below
    return found


def _entry(node: Node, name: str) -> Node | None:
    for item in node.items:
        if item.text == name or any(item.get(key).text == name for key in _KEYS_OF_ENTRIES):
            return item
    return None
