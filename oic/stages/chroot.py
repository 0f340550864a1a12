"""chroot: the build environment, unpacked from the ``tools`` set; no script of it ever runs."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from oic.chroot import layers
from oic.files import digest_of
from oic.ospackage.lock import LockedPackage, read_lock
from oic.provider import provider_of
from oic.store import Store

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from oic.stage import Stage


def run(stage: Stage) -> str:
    """Make the layer, or find it made."""
    packages = read_lock(stage.read("lock.json")).sets["tools"]
    store = Store(stage.cache / "store")
    members = [(package, store.path(package.sha256)) for package in packages]
    key = digest_of({"stage": "chroot", "version": stage.version, "packages": [entry.sha256 for entry in packages]})
    layer = layers.made(stage.cache, key, partial(_fill, stage.slice["provider"], members))
    place = stage.artefact(layer.place)
    stage.write({"layer": place, "digest": layer.digest, "artefacts": [place]})
    return f"{len(packages)} packages unpacked"


def _fill(provider: str, members: Sequence[tuple[LockedPackage, Path]], part: Path) -> int:
    return provider_of(provider).unpack(members, part / "tree")
