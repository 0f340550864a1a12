"""Layers in the cache: a directory tree made once, found again under a key, named by its content.

::

    cache/layers/<id map>-<key>.json         what this key came to: the layer's name, and which scriptlets were let fail
    cache/layers/<id map>-<digest>/tree         the tree, as an overlay's lower directory
                                   layer.json   {"digest": …, "epoch": …}
    cache/layers/<id map>-<key>.part/        the same while it is made; one that nobody is at is thrown away

* The key is of everything the content comes from, the name of the content: other inputs that come to the same tree
  come to the same layer, and the rebuild stops there.
* The directory gets its name by one rename, when all is in it. Two builds that want one layer make it once.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import shutil
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import msgspec

from oic.chroot import idmap, namespace
from oic.chroot.tree import clamp_times, digest_of_tree
from oic.files import read_json, remove_abandoned, write_json
from oic.handover.tree import PassedOver  # noqa: TC001 - read when a note is decoded
from oic.process import child
from oic.values import Value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from oic.chroot.tree import Filled
    from oic.values import Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """A finished layer: where it is, the digest of its content, and its epoch in seconds since 1970.

    `passed` are the scriptlets that were let fail when it was made; as it is found by its name, nobody knows.
    """

    place: Path
    digest: str
    epoch: int
    passed: tuple[PassedOver, ...] = ()

    @property
    def tree(self) -> Path:
        """Return the tree's root."""
        return self.place / "tree"


def made(
    cache: Path, key: Digest, fill: Callable[[Path], Filled], *, writes: Sequence[Path] = (), network: bool = False
) -> Layer:
    """Return the layer of `key`; where there is none, make it with `fill`.

    `fill` is called inside a namespace with the directory that is being made; it fills its ``tree`` and says what
    came of it. What else it leaves in the directory is removed. It can write there and to `writes`, and nowhere else.
    """
    ids = idmap.current().key
    note = cache / "layers" / f"{ids}-{key[:32]}.json"
    with _alone(note.with_suffix(".lock")):
        remove_abandoned(note)
        known = _known(note)
        if known is None:
            part = note.with_suffix(".part")
            with _abandoned(note.parent, ids) as abandoned:
                remove([place for place in (part, *abandoned) if place.exists()])
            part.mkdir(parents=True)
            passed = namespace.call(_make, part, fill, writes=[part, *writes], network=network)
            known = _Note(layer=_named(part, ids).name, passed=passed)
            write_json(note, known)
    return replace(read(note.with_name(known.layer)), passed=known.passed)


class _Note(Value):
    """What a key came to."""

    layer: str
    passed: tuple[PassedOver, ...]


def _known(note: Path) -> _Note | None:
    try:
        known = msgspec.json.decode(note.read_bytes(), type=_Note)
    except (FileNotFoundError, ValueError):
        return None
    return known if is_there(note.with_name(known.layer)) else None


def is_there(place: Path) -> bool:
    """Tell whether a layer is in its place, and whole: nothing is synced to disk, a power cut may leave half a file."""
    try:
        read(place)
    except (FileNotFoundError, ValueError):
        return False
    return (place / "tree").is_dir()


def _named(part: Path, ids: str) -> Path:
    """Give a finished layer the name of its content; one that is there already, by way of another key, is as good."""
    place = part.with_name(f"{ids}-{read(part).digest[:32]}")
    if place.exists() and not is_there(place):
        remove([place])
    try:
        part.rename(place)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
        remove([part])
    return place


def read(place: Path) -> Layer:
    """Return the layer at a place in the cache; raises OSError when it is not there."""
    facts = read_json(place / "layer.json")
    return Layer(place=place, digest=facts["digest"], epoch=facts["epoch"])


def remove(places: Sequence[Path]) -> None:
    """Remove directories that are beside each other and hold layers, whose files have owners of the namespace."""
    if places:
        namespace.call(_remove_all, places, writes=[places[0].parent])


def _remove_all(places: Sequence[Path]) -> None:
    for place in places:
        shutil.rmtree(place)


def _make(part: Path, fill: Callable[[Path], Filled]) -> tuple[PassedOver, ...]:
    tree = part / "tree"
    tree.mkdir()
    tree.chmod(0o755)
    filled = fill(part)
    child.end_all()  # whatever still runs would write on while the digest is taken
    for entry in part.iterdir():
        if entry != tree:
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    clamp_times(tree, filled.epoch)
    write_json(part / "layer.json", {"digest": digest_of_tree(tree), "epoch": filled.epoch})
    return filled.passed


@contextlib.contextmanager
def _abandoned(directory: Path, ids: str) -> Iterator[list[Path]]:
    """Yield what killed builds left of layers that they made, each locked."""
    with contextlib.ExitStack() as locks:
        found = []
        for part in directory.glob(f"{ids}-*.part"):
            with contextlib.suppress(BlockingIOError):
                locks.enter_context(_alone(part.with_suffix(".lock"), wait=False))
                found.append(part)
        yield found


@contextlib.contextmanager
def _alone(file: Path, *, wait: bool = True) -> Iterator[None]:
    file.parent.mkdir(parents=True, exist_ok=True)
    lock = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(lock)
