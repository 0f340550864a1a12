"""Runs the stage `oic.stages.evidence`."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from msgspec import UNSET, UnsetType

from oic.files import digest_of_file, write_json
from oic.handover.disk import (
    SignedFiles,
    SignedProgram,
    VerifiedRoot,
)
from oic.handover.packages import LockFile, Trust
from oic.handover.tree import PassedOver, PassedScriptlets, PrivateKey, PrivateKeys
from oic.image.tree.drawn import OF_RECIPE
from oic.ospackage.lock import MEDIUM
from oic.stages.evidence import OF_ARTEFACTS, Slice, partitions_of, products_of
from oic.values import Bytes, Digest, Value

if TYPE_CHECKING:
    from oic.config.model import Image, Target
    from oic.handover.codec import Handover
    from oic.handover.tree import Artefact
    from oic.image.disk.written import WrittenPartition
    from oic.ospackage.locked import Lock
    from oic.stage import Stage


class TrustedPackage(Value):
    """A package of the image, and why it is trusted."""

    name: str
    version: str
    architecture: str
    repository: str
    sha256: Digest
    trust: str


class File(Value):
    """A file beside the manifest."""

    name: str
    size: Bytes
    sha256: Digest


class VerifiedRootSaid(Value):
    """A root that is only read: the hash that vouches for it, and where the machine has that from.

    Nothing vouches for the root hash itself, unless it is said to be signed.
    """

    partition: str
    hashes: str
    root_hash: Digest
    root_hash_is_signed: bool


class SignedSaid(Value):
    """Programs signed for Secure Boot: by the key of which certificate, and which programs of the ESP they are.

    Each signature was verified with this certificate. Whether a machine trusts it is up to the machine.
    """

    subject: str
    certificate: Digest
    programs: tuple[SignedProgram, ...]
    enrols_itself: bool


class Manifest(Value):
    """The content of an image and its origin; of an ISO, `medium_packages` are those of the initramfs it boots."""

    image: Image
    target: Target
    recipe: Digest
    lock: Digest
    files: tuple[File, ...]
    partitions: tuple[WrittenPartition, ...]
    packages: tuple[TrustedPackage, ...]
    unsigned: tuple[str, ...]
    unsigned_metadata: tuple[str, ...]
    locked_by: str
    reproducible: bool
    private_keys: tuple[PrivateKey, ...]
    scriptlets_passed_over: tuple[PassedOver, ...]
    network_commands: tuple[str, ...]
    outside_files: tuple[str, ...]
    drawn_file_systems: tuple[str, ...]
    medium_packages: tuple[TrustedPackage, ...] | UnsetType = UNSET
    verified_root: VerifiedRootSaid | UnsetType = UNSET
    secure_boot: SignedSaid | UnsetType = UNSET


def run(stage: Stage[Slice]) -> str:
    """Write the manifest."""
    part, trust = stage.slice, stage.read(Trust)
    lock = stage.read(LockFile).lock
    packages = _packages(lock, trust, "image")
    keys = stage.read(PrivateKeys).private_keys
    generated = [key for key in keys if key.made != OF_RECIPE]
    manifest = Manifest(
        image=part.image,
        target=part.target,
        recipe=part.recipe,
        lock=digest_of_file(stage.path(LockFile.FILE)),
        files=tuple(
            File(name=file.path.rpartition("/")[2], size=file.size, sha256=file.sha256)
            for file in (*(product.file for product in products_of(stage)), *_certificates(stage))
        ),
        partitions=partitions_of(stage),
        packages=packages,
        medium_packages=_packages(lock, trust, MEDIUM) if MEDIUM in lock.sets else UNSET,
        verified_root=_verified_root(stage) if VerifiedRoot in stage.reads else UNSET,
        secure_boot=_signed(stage) if SignedFiles in stage.reads else UNSET,
        unsigned=tuple(sorted({*trust.unsigned["image"], *trust.unsigned.get(MEDIUM, ())})),
        unsigned_metadata=trust.unsigned_metadata,
        locked_by=trust.locked_by,
        reproducible=not (part.network_commands or generated or part.drawn_file_systems),
        private_keys=keys,
        scriptlets_passed_over=stage.read(PassedScriptlets).scriptlets,
        network_commands=part.network_commands,
        outside_files=part.outside_files,
        drawn_file_systems=part.drawn_file_systems,
    )
    _remove_unwanted(stage)
    write_json(stage.path(part.file), manifest)
    count = "1 private key was" if len(generated) == 1 else f"{len(generated)} private keys were"
    remark = f", not reproducible: {count} generated" if generated else ""
    return f"{part.file}, {len(packages)} packages{remark}"


def _verified_root(stage: Stage[Slice]) -> VerifiedRootSaid:
    root = stage.read(VerifiedRoot)
    return VerifiedRootSaid(
        partition=root.root.id,
        hashes=root.hashes.id,
        root_hash=Digest(root.root_hash.hexadecimal),
        root_hash_is_signed=SignedFiles in stage.reads,
    )


def _signed(stage: Stage[Slice]) -> SignedSaid:
    signed = stage.read(SignedFiles)
    return SignedSaid(
        subject=signed.subject, certificate=signed.sha256, programs=signed.programs, enrols_itself=signed.enrols
    )


def _certificates(stage: Stage[Slice]) -> tuple[Artefact, ...]:
    return (stage.read(SignedFiles).certificate,) if SignedFiles in stage.reads else ()


def _packages(lock: Lock, trust: Trust, named_set: str) -> tuple[TrustedPackage, ...]:
    return tuple(
        TrustedPackage(
            name=package.name,
            version=package.version,
            architecture=package.architecture,
            repository=package.repository,
            sha256=package.sha256,
            trust=trust.verdicts[named_set][package.name],
        )
        for package in sorted(lock.sets[named_set], key=lambda package: package.name)
    )


def _remove_unwanted(stage: Stage[Slice]) -> None:
    """Remove the artefacts of a stage that the recipe has no more: beside the manifest they would be taken for its."""
    of_stages: dict[str, type[Handover]] = {**OF_ARTEFACTS, "sign": SignedFiles}
    for name, kind in of_stages.items():
        record = stage.place_of(kind)
        if kind in stage.reads or not record.exists():
            continue
        with contextlib.suppress(ValueError):  # what is damaged names nothing
            for path in kind.from_text(record.read_text(encoding="utf-8")).artefacts():
                (stage.cache / path).unlink(missing_ok=True)
        record.unlink()
        stage.path(f"slice/{name}.json").unlink(missing_ok=True)
