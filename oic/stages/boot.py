"""boot: what boots the image, by the recipe's method: the EFI system partition, GRUB's core, its files in the tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oic.handover.disk import BootFiles
from oic.handover.tree import (
    BootInputs,
    BuildEnvironment,
    Initramfs,
)
from oic.stage import Kind
from oic.values import Value

if TYPE_CHECKING:
    from oic.image.boot.esp import EspPartition
    from oic.image.boot.place import BootPlace
    from oic.image.boot.root import ByPartuuid


class Slice(Value):
    """What boots and how: `method` is of `oic.image.boot`, `name` the image's with its version.

    A method that has no use for them has no `esp` or no `place`. A root that is verified has no `root`: what it is
    called depends on what is in it. What is to be signed is handed over as files: the ESP is made of the signed ones.
    """

    provider: str
    method: str
    architecture: str
    name: str
    command_line: str
    root: ByPartuuid | None
    esp: EspPartition | None
    place: BootPlace | None
    to_sign: bool = False


KIND: Kind[Slice] = Kind(
    name="boot",
    version=8,
    doc="make what boots the image: boot loader, kernel images, the EFI system partition",
    reads=(BootInputs, Initramfs, BuildEnvironment),
    writes=(BootFiles,),
)
