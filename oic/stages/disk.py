"""disk: the raw disk image, made of the partition table and the images of partitions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oic.handover.disk import BootFiles, FileSystems, RawDisk
from oic.stage import Kind
from oic.values import Value

if TYPE_CHECKING:
    from oic.image.disk.content import ByContent
    from oic.image.disk.placed import Layout


class Slice(Value):
    """The layout of the disk, and the name of the file; `by_content` is where the layout waits for sizes."""

    layout: Layout
    file: str
    by_content: ByContent | None = None


KIND: Kind[Slice] = Kind(
    name="disk",
    version=5,
    doc="write the disk: partition table and partitions",
    reads=(FileSystems, BootFiles),
    writes=(RawDisk,),
)
