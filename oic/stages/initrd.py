"""initrd: an initramfs for each kernel, created by the image's own generator from packages and configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oic.handover.tree import Initramfs, InitramfsInputs
from oic.stage import Kind
from oic.values import Value

if TYPE_CHECKING:
    from oic.image.tree.state import State


class Slice(Value):
    """Modules that are added to the initramfs, and what it mounts over a root that is only read."""

    modules: tuple[str, ...]
    state: State | None = None


KIND: Kind[Slice] = Kind(
    name="initrd",
    version=8,
    doc="create the initramfs with the image's own generator",
    reads=(InitramfsInputs,),
    writes=(Initramfs,),
)
