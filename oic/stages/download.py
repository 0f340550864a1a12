"""download: downloads every package and key file of the lock into the store, which holds only verified content."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oic.handover.packages import Downloaded, LockFile
from oic.stage import Kind
from oic.values import Value

if TYPE_CHECKING:
    from oic.stages import metadata


class Slice(Value):
    """Nothing, because the lock determines everything; for a `kept` lock, the repositories of present indexes."""

    kept: metadata.Slice | None = None


KIND: Kind[Slice] = Kind(
    name="download",
    version=4,
    doc="bring the packages into the store",
    reads=(LockFile,),
    writes=(Downloaded,),
)
