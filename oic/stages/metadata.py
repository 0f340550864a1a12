"""metadata: each repository's index, verified, into the store; their digests into ``index.json``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oic.handover.packages import Index
from oic.stage import Kind
from oic.values import Value

if TYPE_CHECKING:
    from oic.config.repository import Repository


class Slice(Value):
    """The repositories whose metadata is downloaded, with their keys."""

    provider: str
    architecture: str
    repositories: tuple[Repository, ...]


KIND: Kind[Slice] = Kind(
    name="metadata",
    version=6,
    doc="fetch and verify the repositories' signed metadata",
    reads=(),
    writes=(Index,),
)
