"""live: the image's tree as a squashfs, which a medium runs without a disk."""

from __future__ import annotations

from oic.handover.disk import LiveTree
from oic.handover.tree import BuildEnvironment, ConfiguredTree
from oic.stage import Kind
from oic.values import Value


class Slice(Value):
    """The name of the file."""

    file: str


KIND: Kind[Slice] = Kind(
    name="live",
    version=1,
    doc="the tree as a squashfs, to run from the medium",
    reads=(ConfiguredTree, BuildEnvironment),
    writes=(LiveTree,),
)
