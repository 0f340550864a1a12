"""img: a tree as an initramfs that is a whole system, its kernel beside it."""

from __future__ import annotations

from msgspec.structs import replace

from oic.handover.disk import MediumSystem, Packed
from oic.handover.tree import BootInputs, BuildEnvironment, ConfiguredTree
from oic.stage import Kind
from oic.values import Value


class Slice(Value):
    """The names of the files, and patterns of paths that are left out."""

    initramfs: str
    kernel: str
    excluded: tuple[str, ...]


KIND: Kind[Slice] = Kind(
    name="img",
    version=2,
    doc="pack a tree as an initramfs, its kernel beside it",
    reads=(ConfiguredTree, BootInputs, BuildEnvironment),
    writes=(Packed,),
)
OF_MEDIUM = replace(KIND, writes=(MediumSystem,))
"""The same for what a medium boots, which is no artefact of its own."""
