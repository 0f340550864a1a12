"""payload: what an installation writes to a disk, compressed block by block, with an index of their digests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oic.handover.disk import BootFiles, FileSystems, Payload
from oic.handover.tree import BootInputs, BuildEnvironment
from oic.stage import Kind
from oic.values import Value

if TYPE_CHECKING:
    from oic.config.iso import DiskChoice
    from oic.config.model import Image
    from oic.image.disk.content import ByContent
    from oic.image.payload import PayloadState


class Target(Value):
    """A partition as the installer has to know it: its file system and its mount point, by their names in recipes."""

    id: str
    type: str
    at: str
    boots: bool


class Slice(Value):
    """The disk, whose partition `grows` fills the machine's; what firmware it boots by; which disk it goes to.

    A root that is only read has a `state`.
    """

    image: Image
    disk: ByContent
    targets: tuple[Target, ...]
    grows: str
    firmware: str
    choice: DiskChoice
    state: PayloadState | None


KIND: Kind[Slice] = Kind(
    name="payload",
    version=2,
    doc="compress what an installation writes",
    reads=(FileSystems, BootFiles, BootInputs, BuildEnvironment),
    writes=(Payload,),
)
