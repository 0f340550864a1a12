"""verity: the root's file system, its hash tree, and the root hash that vouches for both (dm-verity)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oic.handover.disk import BootedRoot, VerifiedRoot
from oic.handover.tree import BuildEnvironment, ConfiguredTree
from oic.stage import Kind
from oic.values import Bytes, Value

if TYPE_CHECKING:
    from oic.stages import fs


class Slice(Value):
    """The root, which is all of `tree`, and the partition of its hash tree: its id and its size.

    Without a size the partition is as large as the hash tree. `salt` is in hexadecimal digits.
    """

    tree: fs.Slice
    hashes: str
    hashes_size: Bytes | None
    uuid: str
    salt: str


KIND: Kind[Slice] = Kind(
    name="verity",
    version=1,
    doc="create the read-only root and its hash tree",
    reads=(ConfiguredTree, BuildEnvironment),
    writes=(VerifiedRoot, BootedRoot),
)
