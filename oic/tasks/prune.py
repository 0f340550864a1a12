"""``prune``: layers and blobs that no image of the cache names any more are removed.

* What an image names is read from every hand-over, lock and report in its directory. An image whose recipe is gone
  counts as long as it has a directory.
* Builds are kept out meanwhile, as a build has layers and blobs that no file names yet.
* A blob that is missed later is downloaded again, a layer is made again.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from oic.chroot import creation, idmap, layers, namespace
from oic.config.final import NAMES_IN_CACHE
from oic.progress import doing
from oic.tasks import claim
from oic.tasks.cleaning import disk_use

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_NAMED = re.compile(r"\blayers/([^/\"\s]+)|\b([0-9a-f]{64})\b")
_NOT_OF_IMAGE = ("layers", "store", "work")
"""Directories below an image's own in which no hand-over lies, such as those of the builds of ``reproduce``."""


def prune(cache: Path, *, dry_run: bool) -> Iterator[str]:
    """Remove what no image names, and yield a line for each layer and one for it all; only yield if `dry_run`."""
    with claim.alone(cache):
        named = names_in(cache)
        places = list(_layers_not_in(cache, named))
        blobs = [path for path in _blobs(cache) if path.name not in named]
        sizes = namespace.call(_sizes, places) if places else []
        verb = "would remove" if dry_run else "removed"
        for place, size in zip(places, sizes, strict=True):
            yield f"{verb} {place}  {size / 1e6:.1f} MB"
        freed = sum(sizes) + sum(path.lstat().st_blocks * 512 for path in blobs)
        if not dry_run:
            doing("removing")
            _remove(cache, places, blobs)
    what = f"{_count(len(places), 'layer')} and {_count(len(blobs), 'blob')} that no image names"
    yield f"{cache}: {verb} {what}, {freed / 1e6:.1f} MB {'would be ' if dry_run else ''}freed"


def names_in(cache: Path) -> set[str]:
    """Return every layer's name and every digest in the JSON files of the images."""
    named: set[str] = set()
    for top, folders, names in os.walk(cache):
        unwanted = NAMES_IN_CACHE if top == str(cache) else _NOT_OF_IMAGE
        folders[:] = [name for name in folders if name not in unwanted]
        for name in names if top != str(cache) else ():
            if name.endswith(".json"):
                with open(os.path.join(top, name), encoding="utf-8", errors="replace") as file:
                    named.update(one for pair in _NAMED.findall(file.read()) for one in pair if one)
    return named


def _layers_not_in(cache: Path, named: set[str]) -> Iterator[Path]:
    """Yield the layers of this user's ids that are not named, and those that killed builds left unfinished."""
    ids = idmap.current().key if (cache / "layers").is_dir() else ""
    for place in sorted((cache / "layers").glob(f"{ids}-*")):
        if place.is_dir() and place.name not in named:
            yield place


def _blobs(cache: Path) -> Iterator[Path]:
    """Yield the blobs of the store, and the parts of blobs whose download was interrupted."""
    yield from sorted((cache / "store/sha256").glob("*/*"))
    yield from sorted((cache / "store/partial").glob("*"))


def _sizes(places: Sequence[Path]) -> list[int]:
    return [disk_use(place) for place in places]


def _remove(cache: Path, places: Sequence[Path], blobs: Sequence[Path]) -> None:
    creation.remove(places)
    for note in (cache / "layers").glob("*.json"):
        if layers.read_note(note) is None:
            note.unlink()
    for path in blobs:
        path.unlink()


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
