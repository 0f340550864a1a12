"""archive: the image's tree as a tar, compressed where the recipe says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oic.handover.disk import Archive
from oic.handover.tree import BuildEnvironment, ConfiguredTree
from oic.stage import Kind
from oic.values import Value

if TYPE_CHECKING:
    from oic.stages.convert import Conversion


class Slice(Value):
    """The files to make: the same tar, not compressed or in several ways."""

    archives: tuple[Conversion, ...]


KIND: Kind[Slice] = Kind(
    name="archive",
    version=1,
    doc="pack the image's tree",
    reads=(ConfiguredTree, BuildEnvironment),
    writes=(Archive,),
)
