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
        if "://" in node.text and (said := url_problem(node.text) or _port_problem(node.text)):
            yield node, said


def url_problem(url: str) -> str:
    """Return what was expected of a URL and what was found; empty for one that can be."""
    try:
        place = urlsplit(url)
    except ValueError:
        return f"expected a URL, found '{url[:80]}'"
    if "@" in place.netloc:
        text = "expected a URL without user and password, as lock and image would have them: put both into ~/.netrc"
        return f"{text}, found one with them"
    return ""


def _port_problem(url: str) -> str:
    try:
        urlsplit(url).port  # noqa: B018 - it raises ValueError for one that is no number
    except ValueError:
        return f"expected a URL with a port from 0 to 65535, found '{url[:80]}'"
    return ""


def _urls(tree: Node) -> Iterator[Node]:
    target, source = tree.get("target"), tree.get("baseline", "source")
    yield target.get("mirror")
    yield from _each(target.get("mirrorKeys").items, "key")
    yield source.get("url")
    for repository in tree.get("packageRepositories").items:
        yield from (repository.get(key) for key in ("url", "mirrorList"))
        yield from _each([repository.get("pkey"), *repository.get("pkeys").items], "key")
        yield from _each(repository.get("packages").items, "url")


def _each(items: list[Node], key: str) -> Iterator[Node]:
    yield from (item.get(key) if item.entries else item for item in items)
