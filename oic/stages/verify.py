"""verify: checks each package of both sets; no package is used before this stage has succeeded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oic.handover.packages import Downloaded, LockFile, Trust, Verified
from oic.stage import Kind
from oic.values import Value

if TYPE_CHECKING:
    from oic.config.repository import Repository


class Slice(Value):
    """The repositories that packages are checked against, and the name of the user's lock, or empty."""

    provider: str
    repositories: tuple[Repository, ...]
    kept: str


KIND: Kind[Slice] = Kind(
    name="verify",
    version=7,
    doc="check every package against its chain of trust",
    reads=(LockFile, Downloaded),
    writes=(Verified, Trust),
)
