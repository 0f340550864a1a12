"""What takes the space of a tree, for the error that there is too little of it."""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING

from oic.chroot import sandbox
from oic.errors import OicError

if TYPE_CHECKING:
    from pathlib import Path

    from oic.provider.protocol import Provider

_SHOWN = 5
_DEPTH = 2


def directories(view: Path, at: str) -> list[str]:
    """Return the largest directories of a partition, two levels below where it is mounted, with their sizes."""
    sizes: Counter[str] = Counter()
    seen = set()
    for directory, _, names in os.walk(view):
        parts = os.path.relpath(directory, view).split(os.sep)[:_DEPTH]
        place = os.path.normpath(os.path.join(at or "/", *parts))
        for name in names:
            status = os.lstat(os.path.join(directory, name))
            if (status.st_dev, status.st_ino) not in seen:
                sizes[place] += status.st_blocks * 512
            seen.add((status.st_dev, status.st_ino))
    return _shown(sizes)


def packages(root: Path, provider: Provider, log: Path) -> list[str]:
    """Return the largest packages of an image's tree with their installed sizes; none where they cannot be told."""
    command, unit = provider.sizes_command()
    try:
        with sandbox.opened(root, log) as box:
            text = box.run(command).text
    except OicError:
        return []  # an image without its package manager
    rows = (line.split("\t") for line in text.splitlines())
    return _shown(Counter({name: int(size) * unit for size, name in rows if size.isdecimal()}))


def _shown(sizes: Counter[str]) -> list[str]:
    return [f"{name} {size >> 20} MiB" for name, size in sizes.most_common(_SHOWN) if size >> 20]
