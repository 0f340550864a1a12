"""What is wrong with the encryption of a disk (``fde``) beyond its schema; it is not built yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from oic.config.source import Node


def fde_problems(tree: Node) -> Iterator[tuple[Node, str]]:
    """Say which partitions there are not, and what is missing."""
    fde, ids = tree.get("systemConfig", "fde"), {one.get("id").text for one in tree.get("disk", "partitions").items}
    for node in fde.get("partitions").items if ids else ():
        if node.text and node.text not in ids:
            yield node, f"expected the id of a partition out of {', '.join(sorted(ids))}, found '{node.text}'"
    if fde.get("enabled").true and not fde.get("passphraseFile").text:
        yield fde.get("passphraseFile"), "expected the path of a file, as fde is enabled, found nothing"
