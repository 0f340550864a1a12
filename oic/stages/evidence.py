"""evidence: a manifest beside the image: its packages and whom they are trusted by, partitions, digests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oic.config.model import Image, Target  # noqa: TC001 - fields of the slice
from oic.files import digest_of_file, write_json
from oic.handover.disk import Products
from oic.handover.packages import LockFile, Trust
from oic.handover.tree import PassedOver, PassedScriptlets, PrivateKey, PrivateKeys
from oic.image.disk.written import WrittenPartition  # noqa: TC001
from oic.image.tree.drawn import OF_RECIPE
from oic.stage import Kind
from oic.values import Bytes, Digest, Value

if TYPE_CHECKING:
    from oic.stage import Stage


class Slice(Value):
    """What the manifest says of the recipe, and the name of its file."""

    image: Image
    target: Target
    recipe: Digest
    network_commands: tuple[str, ...]
    outside_files: tuple[str, ...]
    file: str


class TrustedPackage(Value):
    """A package of the image, and whose word it is."""

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


class Manifest(Value):
    """What is in an image, and from where."""

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


def run(stage: Stage[Slice]) -> str:
    """Write the manifest."""
    part, made, trust = stage.slice, stage.read(Products), stage.read(Trust)
    lock = stage.read(LockFile).lock
    packages = tuple(
        TrustedPackage(
            name=package.name,
            version=package.version,
            architecture=package.architecture,
            repository=package.repository,
            sha256=package.sha256,
            trust=trust.verdicts["image"][package.name],
        )
        for package in sorted(lock.sets["image"], key=lambda package: package.name)
    )
    keys = stage.read(PrivateKeys).private_keys
    drawn = [key for key in keys if key.made != OF_RECIPE]
    manifest = Manifest(
        image=part.image,
        target=part.target,
        recipe=part.recipe,
        lock=digest_of_file(stage.path(LockFile.FILE)),
        files=tuple(
            File(name=product.file.path.rpartition("/")[2], size=product.file.size, sha256=product.file.sha256)
            for product in made.products
        ),
        partitions=made.partitions,
        packages=packages,
        unsigned=trust.unsigned["image"],
        unsigned_metadata=trust.unsigned_metadata,
        locked_by=trust.locked_by,
        reproducible=not part.network_commands and not drawn,
        private_keys=keys,
        scriptlets_passed_over=stage.read(PassedScriptlets).scriptlets,
        network_commands=part.network_commands,
        outside_files=part.outside_files,
    )
    write_json(stage.path(part.file), manifest)
    count = "1 private key was" if len(drawn) == 1 else f"{len(drawn)} private keys were"
    said = f", not reproducible: {count} drawn" if drawn else ""
    return f"{part.file}, {len(packages)} packages{said}"


KIND = Kind(
    name="evidence",
    version=7,
    doc="write what is in the image, and from where, beside it",
    reads=(Products, LockFile, Trust, PrivateKeys, PassedScriptlets),
    writes=(),
    run=run,
)
