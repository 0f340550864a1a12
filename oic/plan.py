"""The graph: a final config becomes a tuple of stages. Reading `plan` from top to bottom is the build.

::

    metadata ─ solve ─ download ─ verify ─ chroot ─ rootfs ─ system ─┬─ fs ────────────┐
                                                                     └─ initrd ─ boot ─┴ disk ─ evidence


* A stage's slice is all of the config it can see; a hand-over is all it can see of other stages.
* ``system`` hands over three files, so that ``initrd`` and ``boot`` see only what they read of the tree.
* Pure: nothing is read but the config.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from oic.config.crypt import hashed
from oic.config.model import Disk
from oic.files import digest_of, to_json, to_plain
from oic.image.geometry import layout
from oic.image.seeds import uuid_for
from oic.stage import Stage
from oic.values import Bytes

if TYPE_CHECKING:
    from pathlib import Path

    from oic.config.model import FinalConfig, Partition
    from oic.image.geometry import Layout

DOCS = {
    "metadata": "fetch and verify the repositories' signed metadata",
    "solve": "choose every package of the image and of its tools, exactly",
    "download": "bring the packages into the store",
    "verify": "check every package against its chain of trust",
    "chroot": "unpack the build environment from the tools' packages",
    "rootfs": "install the image's packages",
    "system": "hostname, users, files, commands, units",
    "initrd": "make the initramfs with the target's own generator",
    "fs": "make the file systems",
    "boot": "make the boot image and the EFI system partition",
    "disk": "put the partition table and the partitions together",
    "evidence": "write what is in the image, and from where, beside it",
}


def plan(config: FinalConfig, cache: Path) -> tuple[Stage, ...]:
    """Return the stages of an image in an order in which they can run."""
    if config.unbuilt:  # planned only to be refused, and its disk may be of a kind that nobody here can lay out
        config = replace(config, disk=Disk(size=Bytes(0), table="gpt", partitions=()))
    seed = seed_of(config)
    placed = layout(config.disk, seed)
    provider = {"provider": config.distribution.provider}
    users = [{**to_plain(user), "password": hashed(user, seed)} for user in config.system.users]
    stem = f"{config.image.name}-{config.image.version}"
    artefact = f"{stem}.raw"

    def stage(name: str, version: int, part: dict[str, Any], inputs: tuple[str, ...], *outputs: str) -> Stage:
        return Stage(
            name=name,
            image=config.image_name,
            recipe=config.recipe,
            cache=cache,
            slice_text=to_json(part),
            inputs=inputs,
            outputs=outputs,
            version=version,
            lock_file=config.lock if name == "solve" else None,
            refusals=(*config.unbuilt, *config.absent),
        )

    return (
        *(
            [stage("solve", 4, {**provider, **request_of(config), "lock": True, **_demands(config)}, (), "lock.json")]
            if config.lock
            else [
                stage("metadata", 3, {**provider, **_repositories(config)}, (), "index.json"),
                stage("solve", 4, {**provider, **request_of(config)}, ("index.json",), "lock.json"),
            ]
        ),
        stage("download", 2, {}, ("lock.json",), "download.json"),
        stage("verify", 4, _verify(config), ("lock.json", "download.json"), "verified.json", "trust.json"),
        stage("chroot", 1, provider, ("lock.json", "verified.json"), "chroot.json"),
        stage("rootfs", 5, provider, ("lock.json", "verified.json", "chroot.json"), "rootfs.json"),
        stage("system", 3, {**provider, **_system(config, placed, users)}, ("rootfs.json",), *SYSTEM),
        stage("initrd", 4, _initrd(config), ("initrd-inputs.json",), "initrd.json"),
        stage("fs", 4, _file_systems(config, placed, seed), ("system.json", "chroot.json"), "fs.json"),
        stage("boot", 3, _boot(config, placed, seed), ("boot-inputs.json", "initrd.json", "chroot.json"), "boot.json"),
        stage("disk", 1, _disk(config, placed, artefact), ("fs.json", "boot.json"), "image.json", artefact),
        stage("evidence", 3, _evidence(config, users), EVIDENCE, f"{stem}.manifest.json"),
    )


EVIDENCE = ("image.json", "lock.json", "trust.json")
SYSTEM = ("system.json", "initrd-inputs.json", "boot-inputs.json")


def seed_of(config: FinalConfig) -> str:
    """Return what every identifier of the image is derived from."""
    return f"{config.distribution.id}/{config.image.name}/{config.image.version}"


def request_of(config: FinalConfig) -> dict[str, Any]:
    """Return what the solver is asked: the part of the config that a lock answers."""
    names = [*config.system.packages, *config.system.kernel.packages]
    sets = {
        "image": {"names": list(dict.fromkeys(names)), "essential": True},
        "tools": {"names": list(config.distribution.tools), "essential": False},
    }
    architecture = config.distribution.architecture
    return {"request": {"architecture": architecture, "recommends": config.system.recommends, "sets": sets}}


def _demands(config: FinalConfig) -> dict[str, Any]:
    """Return the repositories as a lock is held against them, without what decides which packages are taken."""
    every = {one.name: one for one in (*config.repositories, *config.distribution.tools_repositories)}
    entries = (replace(entry, image_key="", priority=0, allow_packages=()) for entry in every.values())
    return {"repositories": [to_plain(entry) for entry in entries]}


def _verify(config: FinalConfig) -> dict[str, Any]:
    kept = config.lock.name if config.lock else ""
    return {"provider": config.distribution.provider, **_demands(config), "kept": kept}


def _repositories(config: FinalConfig) -> dict[str, Any]:
    every = {entry.name: to_plain(entry) for entry in (*config.repositories, *config.distribution.tools_repositories)}
    for entry in every.values():
        for word in ("image_key", "of_host"):
            del entry[word]  # not the metadata's business
        for key in entry["keys"]:
            del key["sha256"]  # what was fetched and verified stays so when a keyring of the host changes
    return {"architecture": config.distribution.architecture, "repositories": list(every.values())}


def _system(config: FinalConfig, placed: Layout, users: list[dict[str, Any]]) -> dict[str, Any]:
    system = config.system
    return {
        "hostname": system.hostname,
        "users": users,
        "files": to_plain(system.files),
        "commands": to_plain(system.commands),
        "services": to_plain(system.services),
        "timezone": system.timezone,
        "locale": system.locale,
        "keymap": system.keymap,
        "packageSources": _known_to_image(config),
        "mounts": _mounts(config, placed),
        "esp": next((entry.mount_point for entry in config.disk.partitions if _is_esp(entry) and _mounted(entry)), ""),
    }


def _known_to_image(config: FinalConfig) -> dict[str, str]:
    """Return the repositories the image is to know, each with its key file in the image."""
    if config.system.package_sources != "keep":
        return {}
    return {entry.name: entry.image_key for entry in config.repositories}


def _mounts(config: FinalConfig, placed: Layout) -> list[dict[str, str]]:
    uuids = {entry.id: entry.part_uuid for entry in placed.partitions}
    return [
        {"partuuid": uuids[entry.id], "at": entry.mount_point, "type": entry.fs_type, "options": entry.mount_options}
        for entry in config.disk.partitions
        if _mounted(entry) or entry.fs_type == "linux-swap"
    ]


def _mounted(entry: Partition) -> bool:
    return entry.mount_point.startswith("/")


def _initrd(config: FinalConfig) -> dict[str, Any]:
    return {"modules": list(config.system.kernel.extra_modules)}


def _file_systems(config: FinalConfig, placed: Layout, seed: str) -> dict[str, Any]:
    """Return the partitions made from the tree: all with a file system but the ESP, which is the boot stage's."""
    sizes = {entry.id: entry.size for entry in placed.partitions}
    partitions = [
        {
            "id": entry.id,
            "type": entry.fs_type,
            "label": entry.fs_label,
            "at": entry.mount_point if _mounted(entry) else "",
            "size": sizes[entry.id],
            "uuid": uuid_for(seed, f"file system {entry.id}"),
        }
        for entry in config.disk.partitions
        if entry.fs_type and entry.id != _esp(config)
    ]
    elsewhere = sorted(entry.mount_point for entry in config.disk.partitions if _mounted(entry))
    return {"partitions": partitions, "mountPoints": elsewhere}


ESP_TYPE = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"
"""The EFI system partition's type GUID, UEFI 2.10 table 5.7."""


def _esp(config: FinalConfig) -> str:
    return next((entry.id for entry in config.disk.partitions if _is_esp(entry)), "")


def _is_esp(entry: Partition) -> bool:
    return entry.type_uuid == ESP_TYPE


def _boot(config: FinalConfig, placed: Layout, seed: str) -> dict[str, Any]:
    esp = next((entry for entry in placed.partitions if entry.id == _esp(config)), None)
    label = next((entry.fs_label for entry in config.disk.partitions if entry.id == _esp(config)), "")
    root = next((entry.id for entry in config.disk.partitions if entry.mount_point == "/"), "")
    return {
        "cmdline": config.system.kernel.cmdline,
        "root": next((entry.part_uuid for entry in placed.partitions if entry.id == root), ""),
        "name": f"{config.image.name}-{config.image.version}",
        "esp": {"id": esp.id, "size": esp.size, "label": label} if esp else None,
        "seed": seed,
        "arch": config.target.arch,
    }


def _disk(config: FinalConfig, placed: Layout, artefact: str) -> dict[str, Any]:
    return {"layout": to_plain(placed), "name": config.image.name, "version": config.image.version, "file": artefact}


def _evidence(config: FinalConfig, users: list[dict[str, Any]]) -> dict[str, Any]:
    target, image = to_plain(config.target), to_plain(config.image)
    online = [command.cmd for command in config.system.commands if command.network]
    system = {**to_plain(config.system), "users": users}  # a digest of a plain password could be guessed
    outside = [file.final for file in config.system.files if file.outside]
    for file in system["files"]:
        del file["local"], file["outside"]  # the same recipe in another directory is the same recipe
    recipe = digest_of({"target": target, "image": image, "disk": config.disk, "system": system})
    return {"image": image, "target": target, "recipe": recipe, "networkCommands": online, "outsideFiles": outside}
