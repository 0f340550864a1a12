"""The tree of a YAML file, parsed or as it was kept from another time.

PyYAML takes longer to import than a build that has nothing to do takes for its config. So what a file says is kept in
a directory, by the digest of its bytes and of the code that read it:

* Of a text only its places in the file are kept, never itself: it may be a password. A file with a text that is
  written in another way than it reads (with escapes, folded) is not kept, nor one whose aliases make it longer.
* What is damaged, cannot be read or written costs time, nothing else. The `MOST` newest trees stay.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
from pathlib import Path

import msgspec

from oic.config.source import Bare, Node, decoded, join
from oic.files import atomic_file, digest_of_file

MOST = 100
_MAX_KEPT = 1 << 20
_CODE = ("yaml_text.py", "source.py", "trees.py")


def parse(data: bytes, path: Path, kept: Path | None = None) -> Node:
    """Return the tree of a YAML file whose top is a mapping; raises RecipeError.

    `kept` is the directory of trees that were parsed before.
    """
    place = kept / f"{_key(data)}.json" if kept else None
    bare, text = _read(place) if place else None, decoded(data, path)
    if bare is None:
        from oic.config.yaml_text import bare_tree  # noqa: PLC0415 - slow to import, and seldom needed

        bare = bare_tree(text, path)
        if place and bare.is_by_place():
            with contextlib.suppress(OSError):
                _keep(bare, place)
    return _node(bare, text, path, "")


def forget(kept: Path) -> None:
    """Remove the trees that are kept in a directory; raises OSError."""
    for place in kept.glob("*.json"):
        place.unlink(missing_ok=True)


def _node(bare: Bare, text: str, file: Path, path: str) -> Node:
    if bare.spans is not None:
        return Node(bare.text(text), file, bare.line, path)
    value = bare.value
    if isinstance(value, dict):
        entries = {key: _node(below, text, file, join(path, key)) for key, below in value.items()}
        return Node(entries, file, bare.line, path)
    if isinstance(value, list):
        items = [_node(below, text, file, f"{path}[{number}]") for number, below in enumerate(value)]
        return Node(items, file, bare.line, path)
    return Node(value, file, bare.line, path)


def _key(data: bytes) -> str:
    """Return what names the tree of these bytes: another version of this code may read them in another way."""
    return hashlib.sha256(_digest_of_code(_CODE).encode() + data).hexdigest()


@functools.cache
def _digest_of_code(names: tuple[str, ...]) -> str:
    return "".join(digest_of_file(Path(__file__).with_name(name)) for name in names)


def _read(place: Path) -> Bare | None:
    """Return a tree that was kept: the file has the digest of its JSON, then that."""
    try:
        digest, _, encoded = place.read_bytes().partition(b"\n")
        if digest.decode() != hashlib.sha256(encoded).hexdigest():
            return None
        return msgspec.json.decode(encoded, type=Bare)
    except (OSError, UnicodeDecodeError, msgspec.DecodeError):
        return None


def _keep(bare: Bare, place: Path) -> None:
    encoded = msgspec.json.encode(bare)
    if len(encoded) > _MAX_KEPT:
        return
    with atomic_file(place) as temporary:
        temporary.write_bytes(hashlib.sha256(encoded).hexdigest().encode() + b"\n" + encoded)
    trees = sorted(place.parent.glob("*.json"), key=lambda tree: tree.stat().st_mtime)
    for old in trees[:-MOST]:
        old.unlink(missing_ok=True)
