"""evidence: a manifest beside the image, with its packages and why they are trusted, its partitions and digests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oic.handover.disk import (
    Archive,
    Converted,
    Medium,
    Packed,
    Product,
    Products,
    RawDisk,
)
from oic.handover.packages import LockFile, Trust
from oic.handover.tree import PassedScriptlets, PrivateKeys
from oic.stage import Kind
from oic.values import Digest, Value

if TYPE_CHECKING:
    from oic.config.model import Image, Target
    from oic.image.disk.written import WrittenPartition
    from oic.stage import Stage


class Slice(Value):
    """What the manifest says about the recipe, and the name of its file.

    `drawn_file_systems` are the ids of partitions that are not the same twice.
    """

    image: Image
    target: Target
    recipe: Digest
    network_commands: tuple[str, ...]
    outside_files: tuple[str, ...]
    drawn_file_systems: tuple[str, ...]
    file: str


def products_of(stage: Stage[Slice]) -> tuple[Product, ...]:
    """Return the artefacts of an image, as the stages that made them tell."""
    return tuple(
        product for kind in OF_ARTEFACTS.values() if kind in stage.reads for product in stage.read(kind).products
    )


def partitions_of(stage: Stage[Slice]) -> tuple[WrittenPartition, ...]:
    """Return what lies on the disk, where there is one."""
    if RawDisk in stage.reads:
        return stage.read(RawDisk).partitions
    return stage.read(Converted).partitions if Converted in stage.reads else ()


OF_ARTEFACTS: dict[str, type[Products]] = {
    "disk": RawDisk,
    "convert": Converted,
    "archive": Archive,
    "img": Packed,
    "iso": Medium,
}
"""What tells of the artefacts, by the stage that makes them; an image has one of these at least."""
KIND: Kind[Slice] = Kind(
    name="evidence",
    version=10,
    doc="write a manifest of the image's content and its origin",
    reads=(LockFile, Trust, PrivateKeys, PassedScriptlets),
    writes=(),
)
