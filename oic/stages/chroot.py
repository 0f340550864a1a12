"""chroot: the build environment, unpacked from the packages of the ``tools`` set; their scripts are never run."""

from __future__ import annotations

from oic.handover.packages import LockFile, Verified
from oic.handover.tree import BuildEnvironment
from oic.stage import Kind
from oic.values import Value


class Slice(Value):
    """The package family, and the name of the set in the lock."""

    provider: str
    set: str


KIND: Kind[Slice] = Kind(
    name="chroot",
    version=2,
    doc="unpack the build environment from the tools' packages",
    reads=(LockFile, Verified),
    writes=(BuildEnvironment,),
)
