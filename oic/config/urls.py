"""URLs of a recipe that can be none, or that hold a password: lock, image and log would have it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from oic.config.source import Node


def url_problems(tree: Node) -> Iterator[tuple[Node, str]]:
    """Say which URLs of a recipe cannot be."""
    for node in _urls(tree):
        if "://" not in node.text:
            continue
        try:
            place = urlsplit(node.text)
            place.port  # noqa: B018 - it raises ValueError for one that is no number
        except ValueError:
            yield node, f"expected a URL, found '{node.text[:80]}'"
            continue
        if "@" in place.netloc:
            text = "expected a URL without user and password, as lock and image would have them: put both into ~/.netrc"
            yield node, f"{text}, found one with them"


def _urls(tree: Node) -> Iterator[Node]:
    target, source = tree.get("target"), tree.get("baseline", "source")
    yield target.get("mirror")
    yield from _each(target.get("mirrorKeys").items, "key")
    yield source.get("url")
    for repository in tree.get("packageRepositories").items:
        yield from (repository.get(key) for key in ("url", "mirrorList", "pkey"))
        yield from _each([repository.get("pkey"), *repository.get("pkeys").items], "key")
        yield from _each(repository.get("packages").items, "url")


def _each(items: list[Node], key: str) -> Iterator[Node]:
    yield from (item.get(key) if item.entries else item for item in items)
