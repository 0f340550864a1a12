"""The stages that create a raw disk image of the tree, and its manifest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from oic.handover.disk import BootedRoot, BootFiles
from oic.handover.tree import ConfiguredTree
from oic.image.boot import is_in_tree
from oic.image.disk.bios import BIOS_BOOT
from oic.image.disk.content import is_by_content, is_rest
from oic.image.seeds import uuid_for
from oic.plan.artefacts import artefact_stages
from oic.plan.boot import boot_slice, disk_of, method_of
from oic.plan.evidence import evidence_stage
from oic.plan.signing import sign_stages, vouched
from oic.plan.state import verified
from oic.plan.tree import is_esp, is_mounted
from oic.stages import boot, fs, verity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from oic.config.model import FinalConfig, User
    from oic.handover.codec import Handover
    from oic.image.disk.content import ByContent
    from oic.image.disk.placed import Layout
    from oic.plan.maker import Maker
    from oic.stage import Stage
    from oic.values import Bytes


def raw_stages(make: Maker, placed: Layout, users: Sequence[User]) -> tuple[Stage[Any], ...]:
    """Return the stages that create what boots the image, the file systems, the artefacts, and the manifest."""
    artefacts = artefact_stages(make, placed)
    return (*disk_stages(make, placed), *artefacts, evidence_stage(make, users, artefacts))


def disk_stages(make: Maker, placed: Layout) -> tuple[Stage[Any], ...]:
    """Return the stages that create what boots the image, and the file systems: all that a disk has.

    A boot loader that reads the tree has its files in it: then the file systems are created after them, and also where
    the size of the ESP is that of its content.
    """
    in_tree = is_in_tree(method_of(make.config))
    disk_plan = disk_of(make.config, make.seed)
    by_content = disk_plan if disk_plan.waits else None
    disk = make.config.disk
    esp_waits = any(is_esp(entry) and is_by_content(entry, disk) for entry in disk.partitions)
    boot_first = in_tree or esp_waits  # the size of the ESP is told by the boot stage
    of_root = verified(make.config)
    told: tuple[type[Handover], ...] = (BootedRoot,) if of_root else ()
    of_tree: tuple[type[Handover], ...] = (ConfiguredTree,) if in_tree else ()
    of_boot: tuple[type[Handover], ...] = (BootFiles,) if boot_first else ()
    known = (vouched if esp_waits else verified)(make.config) if by_content else ()
    booting = make.stage(boot.KIND, boot_slice(make, placed), reads=(*boot.KIND.reads, *told, *of_tree))
    part = _file_systems(make.config, placed, make.seed, by_content)
    systems = make.stage(fs.KIND, part, reads=(*fs.KIND.reads, *of_boot, *known))
    root = (make.stage(verity.KIND, _verified_root(make, placed)),) if of_root else ()
    signing = sign_stages(make, placed)
    return (*root, booting, *signing, systems) if boot_first else (*root, systems, booting, *signing)


def _verified_root(make: Maker, placed: Layout) -> verity.Slice:
    """Return the root as a file system of its own, and the partition of its hash tree."""
    config, own = make.config, make.config.read_only
    assert own is not None
    sizes = {entry.id: entry.size for entry in placed.partitions}
    by_content = disk_of(config, make.seed)
    entries = {entry.id: entry for entry in config.disk.partitions}

    def size_of(name: str) -> Bytes | None:
        waits = is_by_content(entries[name], config.disk) or (by_content.waits and is_rest(entries[name]))
        return None if waits else sizes[name]

    root = entries[own.root]
    return verity.Slice(
        tree=fs.Slice(
            provider=config.distribution.provider,
            partitions=(
                fs.Partition(
                    id=root.id,
                    type=root.fs_type,
                    label=root.fs_label,
                    at="/",
                    size=size_of(root.id),
                    uuid=uuid_for(make.seed, f"file system {root.id}"),
                    is_tight=True,
                ),
            ),
            mount_points=_mount_points(config),
            by_content=None,
        ),
        hashes=own.hashes,
        hashes_size=size_of(own.hashes),
        uuid=uuid_for(make.seed, "verity"),
        salt=uuid_for(make.seed, "verity's salt").replace("-", ""),
    )


def _mount_points(config: FinalConfig) -> tuple[str, ...]:
    return tuple(sorted(entry.mount_point for entry in config.disk.partitions if is_mounted(entry)))


def _file_systems(config: FinalConfig, placed: Layout, seed: str, by_content: ByContent | None) -> fs.Slice:
    """Return the partitions with a file system, except the ESP, which the boot stage creates."""
    sizes = {entry.id: entry.size for entry in placed.partitions}
    verified_id = config.read_only.root if config.read_only else ""
    waiting = {
        entry.id
        for entry in config.disk.partitions
        if by_content and (is_by_content(entry, config.disk) or is_rest(entry))
    }
    partitions = tuple(
        fs.Partition(
            id=entry.id,
            type=entry.fs_type,
            label=entry.fs_label,
            at=entry.mount_point if is_mounted(entry) else "",
            size=sizes[entry.id] if entry.id not in waiting else None,
            uuid=uuid_for(seed, f"file system {entry.id}"),
        )
        for entry in config.disk.partitions
        if entry.fs_type and not is_esp(entry) and entry.type_uuid != BIOS_BOOT and entry.id != verified_id
    )
    return fs.Slice(
        provider=config.distribution.provider,
        partitions=partitions,
        mount_points=_mount_points(config),
        by_content=by_content,
    )
