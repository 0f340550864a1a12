"""Runs the stage `oic.stages.system`."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from oic.chroot import creation, layers, namespace, overlay, sandbox
from oic.chroot.tree import Filled, remove_matches
from oic.config.lines import with_lines
from oic.errors import one_line
from oic.files import atomic_file
from oic.handover.tree import (
    Artefact,
    BootInputs,
    ConfiguredTree,
    EspFile,
    InitramfsInputs,
    InstalledTree,
    LayerName,
    PrivateKeys,
    TreeKernel,
)
from oic.image.tree import (
    accounts,
    additional,
    effects,
    esp,
    firstboot,
    grow,
    keyfiles,
    network,
    part,
    reading,
    settings,
    texts,
)
from oic.image.tree.commands import run_commands
from oic.ospackage.store import Store
from oic.process import child
from oic.progress import note
from oic.provider import provider_of
from oic.stages.system import KIND, Slice
from oic.values import digest_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from oic.chroot.layers import Layer
    from oic.chroot.sandbox import Sandbox
    from oic.config.model import Services
    from oic.stage import Stage


_KERNEL = "vmlinuz"


_ESP = "esp"


def run(stage: Stage[Slice]) -> str:
    """Create the configuration layer, and write what later stages read of it."""
    said, rootfs = stage.slice, stage.read(InstalledTree)
    below = [layers.read(stage.cache / layer.place) for layer in rootfs.layers]
    digests = [layer.digest for layer in rootfs.layers]
    key = digest_of({"version": KIND.version, "slice": said, "below": digests, "repositories": rootfs.repositories})
    online = any(command.network for command in said.commands)
    trees = [layer.tree for layer in below]
    logs = [stage.create_log(), *_command_logs(stage)]
    keys = keyfiles.read(
        said.told, provider_of(said.provider), rootfs.repositories, stage.sources, Store(stage.cache / "store")
    )
    fill = partial(_fill, said, rootfs, stage.sources, keys, trees, logs)
    layer = creation.get_or_create(stage.cache, key, fill, writes=logs, network=online)
    own = LayerName(place=stage.artefact(layer.place), digest=layer.digest)
    work = stage.path("work/system")
    work.mkdir(parents=True, exist_ok=True)
    whole = [*trees, layer.tree]
    found = (said.esp, [file.final for file in said.files], rootfs.private_keys, said.has_kernel, said.has_initramfs)
    read = namespace.call(reading.read, whole, work, *found, writes=[work])
    stage.write(ConfiguredTree(layers=(*rootfs.layers, own), epoch=layer.epoch))
    stage.write(
        InitramfsInputs(
            generator=read.generator,
            versions=tuple(kernel.version for kernel in read.kernels),
            packages=rootfs.layers,
            read=own if read.hooks else _part(stage, layer, trees, read.paths),
            epoch=layer.epoch,
        )
    )
    stage.write(_boot_inputs(stage, read, layer.epoch))
    stage.write(PrivateKeys(private_keys=read.private_keys))
    idle = namespace.call(_idle_settings, whole, trees, said, work, writes=[work])
    for line in with_lines("\n".join(map(one_line, idle)), stage.recipe).splitlines():
        note(line)
    for one in read.private_keys:
        line = f"{one.path}: a private key ({one.kind}), the same on every machine of this image; {one.made}"
        note(one_line(line))
    return f"{_count(said.users, 'user')}, {_count(said.files, 'file')}, {_count(said.commands, 'command')}"


def _count(things: Sequence[object], noun: str) -> str:
    return f"{len(things)} {noun}{'' if len(things) == 1 else 's'}"


def _idle_settings(whole: Sequence[Path], below: Sequence[Path], said: Slice, work: Path) -> list[str]:
    """Return a note for each setting that the image has no use for; runs in a namespace."""
    groups = [found for tree in below if (found := child.inside(tree, effects.group_names))]
    with overlay.merged(whole, work / "root") as root:
        units = child.inside(root, effects.check_units, said.services)
        return [*child.inside(root, effects.idle_settings, said, groups[-1] if groups else frozenset()), *units]


def _command_logs(stage: Stage[Slice]) -> list[Path]:
    """Return an empty log for each command."""
    logs = [stage.log.with_name(f"command-{number}.log") for number in range(len(stage.slice.commands))]
    for log in logs:
        log.write_text("", encoding="utf-8")
    return logs


def _part(stage: Stage[Slice], layer: Layer, below: Sequence[Path], paths: Sequence[str]) -> LayerName | None:
    """Return a layer with the configuration that the initramfs generator reads; None if it reads nothing."""
    if not paths:
        return None
    key = digest_of({"part of": layer.digest, "paths": sorted(paths), "version": KIND.version})
    copy = creation.get_or_create(stage.cache, key, partial(part.fill, below, layer.tree, paths, layer.epoch))
    return LayerName(place=stage.artefact(copy.place), digest=copy.digest)


def _boot_inputs(stage: Stage[Slice], read: reading.TreeContent, epoch: int) -> BootInputs:
    """Copy the files that the boot image needs from the tree to the image's directory."""
    kernels = []
    for number, kernel in enumerate(read.kernels):
        path = stage.path(f"{_KERNEL}-{number}" if number else _KERNEL)
        with atomic_file(path) as temporary:
            temporary.write_bytes(kernel.image)
        file = Artefact.of(stage.artefact(path), kernel.image)
        kernels.append(TreeKernel(version=kernel.version, path=kernel.path, file=file))
    esp.write_files(stage.path(_ESP), read.esp)
    return BootInputs(
        kernels=tuple(kernels),
        os_release=read.os_release,
        esp=tuple(
            EspFile(name=name, file=Artefact.of(stage.artefact(stage.path(f"{_ESP}/{name}")), content))
            for name, content in read.esp.items()
        ),
        epoch=epoch,
    )


def _fill(  # noqa: PLR0913 - runs in a namespace
    said: Slice,
    rootfs: InstalledTree,
    sources: Mapping[str, Path],
    keys: Mapping[str, bytes],
    below: Sequence[Path],
    logs: Sequence[Path],
    place: Path,
) -> Filled:
    provider = provider_of(said.provider)
    with overlay.merged(below, place / "root", upper=place / "tree", work=place / "work") as root:
        child.inside(root, effects.check_network, said.network)
        child.inside(root, texts.write, {**settings.files_of(said), **network.files_of(said.network)})
        told = child.inside(root, provider.sources, rootfs.repositories, said.package_sources)
        extras = {**settings.extras_of(said), **accounts.sudo_rules(said.users)}
        further = child.inside(root, provider.recipe_sources, said.told, rootfs.repositories)
        child.inside(root, texts.write_extras, {**extras, **told, **further})
        child.inside(root, keyfiles.write, keys, list(further))
        child.inside(root, _set_timezone, said.timezone)
        with sandbox.opened(root, logs[0], env=provider.environment(rootfs.epoch)) as box:
            accounts.add_users(said.users, box)
            child.inside(root, accounts.write_keys, said.users)
            with additional.opened(said.files, sources) as opened:
                child.inside(root, additional.write, opened)
            run_commands(said.commands, box, logs[1:])
            child.inside(root, accounts.check_shells, said.users)
            child.inside(root, firstboot.write_units, provider.first_boot())
            child.inside(root, grow.write, said.growth)
            child.inside(root, effects.check_units, said.services)
            _set_units(said.services, box)
        child.inside(root, remove_matches, [name for name in provider.leftovers() if name != "etc/machine-id"])
        child.inside(root, firstboot.remove, provider.first_boot(), [file.final for file in said.files])
        child.inside(root, texts.write, {"/etc/machine-id": ""})
    return Filled(epoch=rootfs.epoch)


def _set_timezone(root: Path, timezone: str) -> None:
    if timezone:
        effects.check_time_zone(root, timezone)
        local = root / "etc/localtime"
        local.unlink(missing_ok=True)
        local.symlink_to(f"/usr/share/zoneinfo/{timezone}")


def _set_units(services: Services, box: Sandbox) -> None:
    # --force: an alias, or a unit enabled by a preset, already has a link where the mask's link goes.
    for verb, units, options in (
        ("enable", services.enable, ()),
        ("disable", services.disable, ()),
        ("mask", services.mask, ("--force",)),
    ):
        if units:
            box.run(["systemctl", verb, *options, *units], capture=False)
