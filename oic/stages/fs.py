"""fs: a file system image for each partition that has content, from the merged tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oic.handover.disk import FileSystems
from oic.handover.tree import BuildEnvironment, ConfiguredTree
from oic.stage import Kind
from oic.values import Bytes, Value

if TYPE_CHECKING:
    from oic.image.disk.content import ByContent


class Partition(Value):
    """A partition with a file system, whose `type` is its name in recipes, mounted `at` a path or nowhere.

    One without a size is as large as its content wants, or takes the rest beside such partitions. One that `is_tight`
    has a file system no larger than its content wants, as nothing is ever added.
    """

    id: str
    type: str
    label: str
    at: str
    size: Bytes | None
    uuid: str
    is_tight: bool = False


class Slice(Value):
    """The partitions with content of the tree; `mount_points` are those of all partitions.

    `by_content` is the disk where sizes are those of the content: a partition whose size depends on that has none here.
    """

    provider: str
    partitions: tuple[Partition, ...]
    mount_points: tuple[str, ...]
    by_content: ByContent | None


KIND: Kind[Slice] = Kind(
    name="fs",
    version=6,
    doc="create the file systems",
    reads=(ConfiguredTree, BuildEnvironment),
    writes=(FileSystems,),
)
