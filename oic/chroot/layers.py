"""Layers in the cache: directory trees that are created once, found by a key, and named by the digest of their content.

::

    cache/layers/<id map>-<key>.json         the layer of this key, and the scriptlets whose failure was tolerated
    cache/layers/<id map>-<digest>/tree         the tree, as an overlay's lower directory
                                   layer.json   {"digest": …, "epoch": …}
    cache/layers/<id map>-<key>.part/        a layer being created; removed if its build was killed

* The key is a digest of all inputs, the name a digest of the content: if other inputs give the same tree, they give
  the same layer, and the rebuild stops there.
* What creates and removes them is `oic.chroot.creation`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from oic.files import read_json
from oic.handover.tree import PassedOver  # noqa: TC001 - read when a note is decoded
from oic.values import Value

if TYPE_CHECKING:
    from pathlib import Path


class Layer(Value):
    """A finished layer: its directory, the digest of its content, and its epoch in seconds since 1970.

    `passed` are the scriptlets whose failure was tolerated; this is known only to `creation.get_or_create`.
    """

    place: Path
    digest: str
    epoch: int
    passed: tuple[PassedOver, ...] = ()

    @property
    def tree(self) -> Path:
        """Return the tree's root."""
        return self.place / "tree"


class Note(Value):
    """The layer of a key."""

    layer: str
    passed: tuple[PassedOver, ...]


def read_note(note: Path) -> Note | None:
    """Return what a note says, if the layer that it names exists."""
    try:
        known = msgspec.json.decode(note.read_bytes(), type=Note)
    except (FileNotFoundError, ValueError):
        return None
    return known if is_there(note.with_name(known.layer)) else None


def is_there(place: Path) -> bool:
    """Tell whether a layer exists and is complete: files are not synced, so a power cut may leave truncated ones."""
    try:
        read(place)
    except (FileNotFoundError, ValueError):
        return False
    return (place / "tree").is_dir()


def read(place: Path) -> Layer:
    """Return the layer in a directory of the cache; raises OSError when it does not exist."""
    facts = read_json(place / "layer.json")
    return Layer(place=place, digest=facts["digest"], epoch=facts["epoch"])
