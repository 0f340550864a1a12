"""The graph: a final config becomes a tuple of stages. Reading `plan` from top to bottom is the build.

::

    metadata ─ solve ─ download ─ verify ─ chroot ─ rootfs ─ system ─┬─ fs ────────────┐
                                                                     └─ initrd ─ boot ─┴ disk ─ evidence


* A stage's slice is all of the config it can see; a hand-over is all it can see of other stages.
* ``system`` hands over four files, so that ``initrd``, ``boot`` and ``evidence`` see only what they read of the tree.
* Pure: nothing is read but the config.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from oic.config.crypt import hashed
from oic.config.model import Disk
from oic.files import to_json, to_plain
from oic.image.disk.geometry import layout
from oic.plan.packages import demands_of, download_of, repositories_of, request_of, verify_of
from oic.plan.raw import boot_of, disk_of, evidence_of, file_systems_of
from oic.plan.tree import initrd_of, system_of
from oic.stage import Stage
from oic.values import Bytes

if TYPE_CHECKING:
    from pathlib import Path

    from oic.config.model import FinalConfig

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


EVIDENCE = ("image.json", "lock.json", "trust.json", "private-keys.json")


SYSTEM = ("system.json", "initrd-inputs.json", "boot-inputs.json", "private-keys.json")


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
            [stage("solve", 4, {**provider, **request_of(config), "lock": True, **demands_of(config)}, (), "lock.json")]
            if config.lock
            else [
                stage("metadata", 3, {**provider, **repositories_of(config)}, (), "index.json"),
                stage("solve", 4, {**provider, **request_of(config)}, ("index.json",), "lock.json"),
            ]
        ),
        stage("download", 3, download_of(config), ("lock.json",), "download.json"),
        stage("verify", 5, verify_of(config), ("lock.json", "download.json"), "verified.json", "trust.json"),
        stage("chroot", 1, provider, ("lock.json", "verified.json"), "chroot.json"),
        stage("rootfs", 6, provider, ("lock.json", "verified.json", "chroot.json"), "rootfs.json"),
        stage("system", 5, {**provider, **system_of(config, placed, users)}, ("rootfs.json",), *SYSTEM),
        stage("initrd", 4, initrd_of(config), ("initrd-inputs.json",), "initrd.json"),
        stage("fs", 4, file_systems_of(config, placed, seed), ("system.json", "chroot.json"), "fs.json"),
        stage(
            "boot", 3, boot_of(config, placed, seed), ("boot-inputs.json", "initrd.json", "chroot.json"), "boot.json"
        ),
        stage("disk", 1, disk_of(config, placed, artefact), ("fs.json", "boot.json"), "image.json", artefact),
        stage("evidence", 5, evidence_of(config, users), EVIDENCE, f"{stem}.manifest.json"),
    )


def seed_of(config: FinalConfig) -> str:
    """Return what every identifier of the image is derived from."""
    return f"{config.distribution.id}/{config.image.name}/{config.image.version}"
