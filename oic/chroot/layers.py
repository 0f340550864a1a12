"""Layers in the cache: a directory tree under a key, made once, shared by every image that comes to the same key.

::

    cache/layers/<id map>-<key>/tree         the tree, as an overlay's lower directory
                                layer.json   {"digest": …, "epoch": …}
    cache/layers/<id map>-<key>.part/        the same while it is made; whatever is found there is thrown away

* The key is of everything the content comes from. The directory gets its name by one rename, when all is in it.
* Two builds that want one layer wait for each other and make it once.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from oic.chroot import idmap, namespace
from oic.chroot.tree import clamp_times, digest_of_tree
from oic.files import read_json, write_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from oic.values import Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """A finished layer: where it is, the digest of its content, and its epoch in seconds since 1970."""

    place: Path
    digest: str
    epoch: int

    @property
    def tree(self) -> Path:
        """Return the tree's root."""
        return self.place / "tree"


def made(cache: Path, key: Digest, fill: Callable[[Path], int], *, network: bool = False) -> Layer:
    """Return the layer of `key`; where there is none, make it with `fill`.

    `fill` is called inside a namespace with the directory that is being made; it fills its ``tree`` and returns the
    epoch. What else it leaves in the directory is removed.
    """
    place = cache / "layers" / f"{idmap.current().key}-{key[:32]}"
    with _alone(place):
        if not (place / "layer.json").exists():
            part = place.with_name(place.name + ".part")
            namespace.call(_make, part, fill, network=network)
            part.rename(place)
    return read(place)


def read(place: Path) -> Layer:
    """Return the layer at a place in the cache; raises OSError when it is not there."""
    facts = read_json(place / "layer.json")
    return Layer(place=place, digest=facts["digest"], epoch=facts["epoch"])


def _make(part: Path, fill: Callable[[Path], int]) -> None:
    if part.exists():
        shutil.rmtree(part)
    tree = part / "tree"
    tree.mkdir(parents=True)
    tree.chmod(0o755)
    epoch = fill(part)
    for entry in part.iterdir():
        if entry != tree:
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    clamp_times(tree, epoch)
    write_json(part / "layer.json", {"digest": digest_of_tree(tree), "epoch": epoch})


@contextlib.contextmanager
def _alone(place: Path) -> Iterator[None]:
    place.parent.mkdir(parents=True, exist_ok=True)
    lock = os.open(place.with_name(place.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)
