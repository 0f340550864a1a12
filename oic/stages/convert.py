"""convert: the disk in the formats and compressions that the recipe asks for, beside or in place of the raw file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oic.handover.disk import BootFiles, Converted, FileSystems, RawDisk
from oic.handover.tree import BuildEnvironment
from oic.image.compression import COMPRESSIONS
from oic.stage import Kind
from oic.values import Value

if TYPE_CHECKING:
    from oic.image.disk.content import ByContent
    from oic.image.disk.placed import Layout


class Conversion(Value):
    """One file: its format and compression in the recipe's words, its name, and what its identifiers come from."""

    format: str
    compression: str
    file: str
    uuid: str

    @property
    def plain_name(self) -> str:
        """Return what the file is called before it is compressed."""
        return self.file.removesuffix(f".{COMPRESSIONS[self.compression].ending}") if self.compression else self.file


class Slice(Value):
    """The files to make; with a `layout`, the disk is put together here, as there is to be no raw file."""

    conversions: tuple[Conversion, ...]
    layout: Layout | None
    by_content: ByContent | None = None


KIND: Kind[Slice] = Kind(
    name="convert",
    version=3,
    doc="make the other formats of the disk, and compress",
    reads=(RawDisk, BuildEnvironment),
    writes=(Converted,),
)
WITHOUT_RAW = (FileSystems, BootFiles, BuildEnvironment)
"""What it reads where there is no raw file to be."""
