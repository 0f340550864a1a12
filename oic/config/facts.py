"""What a schema cannot say about a distribution's data files: its facts, and its defaults for an image type.

A recipe may be one of many for a distribution: a mistake here is told with the data file's line, not with the recipe's.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from oic.config.checks import problems_in, same
from oic.config.repositories import WORDS, filled
from oic.config.schema import did_you_mean, is_field

if TYPE_CHECKING:
    from collections.abc import Iterator

    from oic.config.source import Node

    Problems = Iterator[tuple[Node, str]]

_VARIABLE = r"\$\{?\w+\}?|\{\w*\}"


def problems_in_facts(facts: Node) -> Problems:
    """Say what of a ``distribution.yml`` cannot be: repositories of one name, variables that nothing fills."""
    repositories = facts.get("repositories").items
    yield from same(repositories, "name", "repository")
    if repositories and all(entry.get("enabled").value is False for entry in repositories):
        yield facts.get("repositories"), "expected a repository that is on by default, found none"
    nodes = [facts.get("mirror")]
    for entry in repositories:
        keys = [item.get("key") if item.entries else item for item in entry.get("keys").items]
        nodes += [entry.get("path"), entry.get("mirrorList"), *keys]
    for node in nodes:
        if found := re.search(_VARIABLE, filled(node.text, dict.fromkeys(WORDS, ""))):
            yield node, f"expected the variables {{arch}}, $basearch or $releasever, found {found[0]}"
    if facts.get("provider").text == "deb" and facts.get("scriptletsMayFail").items:
        yield facts.get("scriptletsMayFail"), "expected none, as dpkg lets no script of a package fail, found some"
    for path, node in facts.get("notYet").entries.items():
        if not is_field(path):
            yield node, f"expected a recipe's field such as systemConfig.immutability, found {path}"


def problems_in_choice(target: Node, facts: Node) -> Problems:
    """Say which repositories a recipe turns on that the distribution does not have."""
    known = [entry.get("name").text for entry in facts.get("repositories").items]
    off = [entry.get("name").text for entry in facts.get("repositories").items if entry.get("enabled").value is False]
    for node in target.get("repositories").items:
        if node.text and node.text not in known:
            there = (
                f"one of the distribution's further repositories, {', '.join(off)}"
                if off
                else "none: it has no further"
            )
            yield node, f"expected {there}, found '{node.text}'{did_you_mean(node.text, off)}"


def problems_in_defaults(defaults: Node, facts: Node, architecture: str) -> Problems:
    """Say what of a ``<imageType>-<arch>.yml`` cannot be, in itself or with the facts beside it."""
    yield from problems_in(defaults)
    words = facts.get("architectures")
    if words.entries and architecture not in words.entries:
        found = ", ".join(words.entries)
        yield words, f"expected the family's word for {architecture}, for which there are defaults, found {found}"
    for key in ("include", "lock"):
        if defaults.get(key).value is not None:
            yield defaults.get(key), f"expected a distribution's defaults as one whole, found {key}: a recipe's"
