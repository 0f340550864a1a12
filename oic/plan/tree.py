"""The stages that create a tree from packages, configure it, and create its initramfs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from oic.config.disk import IMG, WSL
from oic.config.iso import installs
from oic.config.repository import is_local
from oic.image.boot.root import ByPartuuid
from oic.image.disk.kinds import TABLE_KINDS
from oic.image.tree.additional import PlacedFile
from oic.image.tree.grow import FSTAB_OPTION, Growth
from oic.image.tree.settings import Mount
from oic.image.verity import DEVICE
from oic.plan.state import state_of
from oic.provider.told import ToldKey, ToldRepository
from oic.stages import initrd, rootfs, system
from oic.values import Value

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from oic.config.model import FinalConfig, Partition, User
    from oic.config.repository import Repository
    from oic.image.disk.placed import Layout
    from oic.plan.maker import Maker
    from oic.stage import Stage

IMAGE = "image"
"""The set of the lock that is installed in the image itself."""
ESP_TYPE = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"
"""The EFI system partition's type GUID, UEFI 2.10 table 5.7."""


class TreePlan(Value):
    """The inputs of a tree: a set of the lock, its configuration, and the modules of its initramfs, if it has one.

    The tree of the image itself has no `name`. `sources` are as in `oic.stage.Stage`.
    """

    installed: rootfs.Slice
    configured: system.Slice
    initramfs: initrd.Slice | None
    sources: Mapping[str, Path]
    name: str = ""


def tree_stages(make: Maker, tree: TreePlan) -> tuple[Stage[Any], ...]:
    """Return the stages that install a tree's packages, configure it and create its initramfs."""
    return (
        make.stage(rootfs.KIND, tree.installed, tree=tree.name),
        make.stage(system.KIND, tree.configured, sources=tree.sources, tree=tree.name),
        *([make.stage(initrd.KIND, tree.initramfs, tree=tree.name)] if tree.initramfs else []),
    )


def tree_of(config: FinalConfig, placed: Layout, users: Sequence[User], named_set: str = IMAGE) -> TreePlan:
    """Return the tree of the image itself, or of another set of the lock, which has the set's name."""
    return TreePlan(
        name="" if named_set == IMAGE else named_set,
        installed=installed(config, named_set),
        configured=_configured(config, placed, users),
        initramfs=initrd.Slice(modules=config.system.kernel.extra_modules, state=state_of(config, placed))
        if has_initramfs(config)
        else None,
        sources={
            **{file.final: file.local for file in config.system.files if file.kind == "file" and file.content is None},
            **{key.url: Path(key.path) for entry in _of_recipe(config) for key in entry.keys if key.sha256},
        },
    )


def installed(config: FinalConfig, named_set: str) -> rootfs.Slice:
    """Return the slice for installing a set of the lock."""
    return rootfs.Slice(
        provider=config.distribution.provider,
        set=named_set,
        known_to_fail=config.distribution.scriptlets_may_fail,
        may_fail=config.system.scriptlets_may_fail,
    )


def _configured(config: FinalConfig, placed: Layout, users: Sequence[User]) -> system.Slice:
    recipe = config.system
    return system.Slice(
        provider=config.distribution.provider,
        hostname=recipe.hostname,
        network=recipe.network,
        users=tuple(users),
        files=files_of(config),
        commands=recipe.commands,
        services=recipe.services,
        timezone=recipe.timezone,
        locale=recipe.locale,
        keymap=recipe.keymap,
        package_sources=_known_to_image(config),
        told=_told(config),
        mounts=tuple(_mounts(config, placed)),
        esp=next((entry.mount_point for entry in config.disk.partitions if is_esp(entry) and is_mounted(entry)), ""),
        growth=_growth(config, placed),
        has_kernel=has_kernel(config),
        has_initramfs=has_initramfs(config),
    )


def files_of(config: FinalConfig) -> tuple[PlacedFile, ...]:
    """Return the additional files by content, so that the recipe's directory makes no difference."""
    return tuple(
        PlacedFile(
            final=file.final,
            kind=file.kind,
            sha256=file.sha256,
            mode=file.mode,
            owner=file.owner,
            content=file.content,
        )
        for file in config.system.files
    )


def _known_to_image(config: FinalConfig) -> dict[str, str]:
    """Return the image's repositories, each with its key file in the image, or none for a disabled one."""
    keep = config.system.package_sources == "keep"
    known = {entry.name: entry.image_key if keep else "" for entry in config.repositories if not entry.of_recipe}
    return {**dict.fromkeys(config.distribution.off, ""), **known}


def _of_recipe(config: FinalConfig) -> Sequence[Repository]:
    """Return the recipe's repositories that the image is to know: none of this host."""
    if config.system.package_sources != "keep":
        return ()
    return [entry for entry in config.repositories if entry.of_recipe and not is_local(entry.url)]


def _told(config: FinalConfig) -> tuple[ToldRepository, ...]:
    return tuple(
        ToldRepository(
            name=entry.name,
            url=entry.url,
            mirror_list=entry.mirror_list,
            suite=entry.suite,
            components=entry.components,
            keys=tuple(ToldKey(url=key.url, sha256=key.sha256, fingerprints=key.fingerprints) for key in entry.keys),
            trusted=entry.trusted,
            signed_metadata=entry.signed_metadata,
            priority=entry.priority,
            allow_packages=entry.allow_packages,
        )
        for entry in _of_recipe(config)
    )


def _mounts(config: FinalConfig, placed: Layout) -> Iterator[Mount]:
    uuids = {entry.id: entry.part_uuid for entry in placed.partitions}
    growth = _growth(config, placed)
    for entry in config.disk.partitions:
        if config.read_only and entry.id == config.read_only.root:
            words = (word for word in entry.mount_options.split(",") if word not in {"", "ro", "rw", "defaults"})
            yield Mount(device=DEVICE, at=entry.mount_point, type=entry.fs_type, options=",".join(("ro", *words)))
        elif is_mounted(entry) or entry.fs_type == "linux-swap":
            device = ByPartuuid(uuid=uuids[entry.id]).device
            options = entry.mount_options
            if growth and growth.part_uuid == uuids[entry.id]:
                options = f"{options or 'defaults'},{FSTAB_OPTION}"
            yield Mount(device=device, at=entry.mount_point, type=entry.fs_type, options=options)
    if config.read_only and all(entry.mount_point != "/tmp" for entry in config.disk.partitions):  # noqa: S108 - of the image
        yield Mount(device="tmpfs", at="/tmp", type="tmpfs", options="mode=1777,nosuid,nodev,size=50%")  # noqa: S108


def _growth(config: FinalConfig, placed: Layout) -> Growth | None:
    """Return the partition that grows: the last on the disk."""
    if not config.disk.grows:
        return None
    last = max(placed.partitions, key=lambda entry: entry.start)
    entry = next(entry for entry in config.disk.partitions if entry.id == last.id)
    slots = TABLE_KINDS[config.disk.table].slots
    return Growth(
        part_uuid=last.part_uuid,
        number=last.index,
        extended=slots if config.disk.table == "mbr" and last.index > slots else 0,
        at=entry.mount_point if is_mounted(entry) else "",
    )


def has_kernel(config: FinalConfig) -> bool:
    """Tell whether an image has a kernel of its own; with WSL 2, the host brings it."""
    return config.target.image_type != WSL


def has_initramfs(config: FinalConfig) -> bool:
    """Tell whether an initramfs is made for an image: it is not one itself, nor is it only run from a medium."""
    is_live = config.iso is not None and not installs(config.iso)
    return has_kernel(config) and config.target.image_type != IMG and not is_live


def is_mounted(entry: Partition) -> bool:
    """Tell whether a partition is mounted in the tree."""
    return entry.mount_point.startswith("/")


def is_esp(entry: Partition) -> bool:
    """Tell whether a partition is the EFI system partition."""
    return entry.type_uuid == ESP_TYPE
