"""rootfs: the packages of the ``image`` set, installed as one layer for the bootstrap set and one for the rest."""

from __future__ import annotations

from oic.handover.packages import LockFile, Verified
from oic.handover.tree import BuildEnvironment, InstalledTree, PassedScriptlets
from oic.stage import Kind
from oic.values import Value


class Slice(Value):
    """The package family, the name of the set in the lock, and scriptlets that may fail, by distribution and recipe."""

    provider: str
    set: str
    known_to_fail: tuple[str, ...]
    may_fail: tuple[str, ...]


KIND: Kind[Slice] = Kind(
    name="rootfs",
    version=8,
    doc="install the image's packages",
    reads=(LockFile, Verified, BuildEnvironment),
    writes=(InstalledTree, PassedScriptlets),
)
