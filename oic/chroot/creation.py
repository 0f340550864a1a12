"""Creates layers in the cache, and removes them.

* The directory is renamed to its final name when it is complete.
* Two builds that need the same layer create it once.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import shutil
from typing import TYPE_CHECKING

from msgspec.structs import replace

from oic.chroot import idmap, namespace
from oic.chroot.layers import Layer, Note, is_there, read, read_note
from oic.chroot.tree import clamp_times, digest_of_tree
from oic.files import remove_abandoned, write_json
from oic.process import child
from oic.progress import doing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from oic.chroot.tree import Filled
    from oic.handover.tree import PassedOver
    from oic.values import Digest


def get_or_create(
    cache: Path, key: Digest, fill: Callable[[Path], Filled], *, writes: Sequence[Path] = (), network: bool = False
) -> Layer:
    """Return the layer of `key`; if there is none, create it with `fill`.

    `fill` is called in a namespace with the directory being created, and fills its ``tree``. Other files that it leaves
    in the directory are removed. It can write only there and to `writes`.
    """
    ids = idmap.current().key
    note = cache / "layers" / f"{ids}-{key[:32]}.json"
    with _lock(note.with_suffix(".lock")):
        remove_abandoned(note)
        known = read_note(note)
        if known is None:
            part = note.with_suffix(".part")
            with _abandoned(note.parent, ids) as abandoned:
                remove([place for place in (part, *abandoned) if place.exists()])
            part.mkdir(parents=True)
            passed = namespace.call(_make, part, fill, writes=[part, *writes], network=network)
            known = Note(layer=_rename_to_digest(part, ids).name, passed=passed)
            write_json(note, known)
    return replace(read(note.with_name(known.layer)), passed=known.passed)


def _rename_to_digest(part: Path, ids: str) -> Path:
    """Rename a finished layer to the digest of its content; drop it if another key has already given the same layer."""
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


def remove(places: Sequence[Path]) -> None:
    """Remove layers of one parent directory, in a namespace: their files have owners that only exist there."""
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
    child.end_all()  # a process that still runs could change files while they are hashed
    for entry in part.iterdir():
        if entry != tree:
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    clamp_times(tree, filled.epoch)
    doing("computing the tree's digest")
    write_json(part / "layer.json", {"digest": digest_of_tree(tree), "epoch": filled.epoch})
    return filled.passed


@contextlib.contextmanager
def _abandoned(directory: Path, ids: str) -> Iterator[list[Path]]:
    """Yield the unfinished layers of killed builds, each locked."""
    with contextlib.ExitStack() as locks:
        found = []
        for part in directory.glob(f"{ids}-*.part"):
            with contextlib.suppress(BlockingIOError):
                locks.enter_context(_lock(part.with_suffix(".lock"), wait=False))
                found.append(part)
        yield found


@contextlib.contextmanager
def _lock(file: Path, *, wait: bool = True) -> Iterator[None]:
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)
