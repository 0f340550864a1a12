"""The cache looked at again: every blob of the store held against its name, every layer against its digest.

* Builds trust both by name. What they find damaged by chance they make anew; what somebody changed they do not see.
* What is damaged is moved to ``damaged/``, so that the next build makes it anew and whoever wants to can look at it.
* What was made of a damaged layer may hold the damage, and is named.
* The trees of recipes that are kept cannot be told from others, and are removed: the next command makes them anew.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from oic.bars import progress_bar
from oic.chroot import idmap, layers, namespace
from oic.chroot.tree import digest_of_tree
from oic.config.trees import forget
from oic.errors import TrustError
from oic.files import digest_of_file
from oic.tasks import claim

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_DAMAGED = "damaged"
_NAMING = ("chroot.json", "rootfs.json", "system.json", "initrd-inputs.json")
"""Hand-overs that name the layers an image is made of."""


def verify(cache: Path) -> str:
    """Return what was found good; raises TrustError with a line for each thing that is not."""
    claim.share(cache)
    forget(cache / "validated")
    blobs = sorted(path for path in (cache / "store/sha256").glob("*/*") if not path.name.startswith("."))
    places = sorted(note.parent for note in (cache / "layers").glob("*/layer.json") if note.parent.suffix != ".part")
    ids = idmap.current().key if places else ""
    ours = [place for place in places if place.name.startswith(f"{ids}-")]
    bad = [*_bad_blobs(cache, blobs), *_bad_layers(cache, ours)]
    if bad:
        hint = f"they are in {cache / _DAMAGED} now, and made anew when a build needs them: look at them, delete them"
        raise TrustError("damaged in the cache:\n" + "\n".join(bad), where=str(cache), hint=hint)
    others = f"; {len(places) - len(ours)} layers of other id maps cannot be told" if len(ours) < len(places) else ""
    return f"{cache}: {len(blobs)} blobs and {len(ours)} layers, all as their digests say{others}"


def _bad_blobs(cache: Path, blobs: list[Path]) -> Iterator[str]:
    with progress_bar("verify-cache", sum(path.lstat().st_size for path in blobs), len(blobs)) as bar:
        for path in blobs:
            size = path.lstat().st_size
            found = "no regular file" if path.is_symlink() or not path.is_file() else _read(path)
            if found != path.name:
                yield f"{path}: expected sha256 {path.name}, found {found}"
                _move_away(cache, path)
            bar.advance(size)
            bar.done(path.name)


def _read(path: Path) -> str:
    try:
        return digest_of_file(path)
    except OSError as error:
        return str(error.strerror)


def _bad_layers(cache: Path, places: list[Path]) -> Iterator[str]:
    for place in places:
        expected, found = _digests(place)
        if found != expected:
            notes = (note for name in _NAMING for note in cache.glob(f"*/{name}"))
            users = sorted({note.parent.name for note in notes if place.name in _text(note)})
            made = f"; {', '.join(users)} made of it: delete {' '.join(str(cache / name) for name in users)}"
            yield f"{place}: expected the digest {expected}, found {found}{made if users else ''}"
            _move_away(cache, place)


def _digests(place: Path) -> tuple[str, str]:
    """Return what the layer is called and what its content comes to."""
    named = place.name.rpartition("-")[2]
    try:
        said = layers.read(place).digest
        found = namespace.call(digest_of_tree, place / "tree")
    except (OSError, ValueError, KeyError) as error:
        return named, f"what cannot be read ({error})"
    return (said, str(found)) if said.startswith(named) else (named, f"{said} in its layer.json")


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8", "replace")
    except OSError:
        return ""


def _move_away(cache: Path, path: Path) -> None:
    place = cache / _DAMAGED
    place.mkdir(exist_ok=True)
    number = 0
    while os.path.lexists(target := place / f"{path.name}.{number}"):
        number += 1
    path.rename(target)
