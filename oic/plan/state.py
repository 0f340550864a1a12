"""What can be written beside a root that is only read, and which kernel modules both need in the initramfs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oic.handover.disk import VerifiedRoot
from oic.image.fs import mounted_as
from oic.image.tree.state import DIRECTORIES, State

if TYPE_CHECKING:
    from oic.config.model import FinalConfig
    from oic.handover.codec import Handover
    from oic.image.disk.placed import Layout


def verified(config: FinalConfig) -> tuple[type[Handover], ...]:
    """Return what tells of a verified root, for the stages that read it, where the image has one."""
    return (VerifiedRoot,) if config.read_only else ()


def state_of(config: FinalConfig, placed: Layout) -> State | None:
    """Return where the state is, and what of the tree belongs to it: no mount point of a partition."""
    if config.read_only is None:
        return None
    entries = {entry.id: entry for entry in config.disk.partitions}
    mounted = {entry.mount_point for entry in config.disk.partitions}
    kept = entries.get(config.read_only.state)
    uuids = {entry.id: entry.part_uuid for entry in placed.partitions}
    types = [mounted_as(entry.fs_type) for entry in (entries[config.read_only.root], kept) if entry]
    return State(
        part_uuid=uuids[kept.id] if kept else "",
        at=kept.mount_point if kept else "",
        type=mounted_as(kept.fs_type) if kept else "",
        options=kept.mount_options if kept else "",
        directories=tuple(path for path in DIRECTORIES if path not in mounted),
        drivers=tuple(dict.fromkeys(("overlay", *types))),
    )
