"""Runs the stage `oic.stages.chroot`."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from oic.chroot import creation
from oic.chroot.tree import Filled
from oic.handover.packages import LockFile
from oic.handover.tree import BuildEnvironment, LayerName
from oic.ospackage.store import Store
from oic.provider import provider_of
from oic.stages.chroot import KIND, Slice
from oic.values import digest_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from oic.ospackage.lock import LockedPackage
    from oic.stage import Stage


def run(stage: Stage[Slice]) -> str:
    """Create the layer, unless the cache has it."""
    packages = stage.read(LockFile).lock.sets[stage.slice.set]
    store = Store(stage.cache / "store")
    members = [(package, store.path(package.sha256)) for package in packages]
    key = digest_of({"stage": "chroot", "version": KIND.version, "packages": [entry.sha256 for entry in packages]})
    layer = creation.get_or_create(stage.cache, key, partial(_fill, stage.slice.provider, members))
    stage.write(BuildEnvironment(layer=LayerName(place=stage.artefact(layer.place), digest=layer.digest)))
    return f"{len(packages)} packages unpacked"


def _fill(provider: str, members: Sequence[tuple[LockedPackage, Path]], part: Path) -> Filled:
    return Filled(epoch=provider_of(provider).unpack(members, part / "tree"))
