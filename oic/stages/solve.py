"""solve: writes ``lock.json``, with package sets that satisfy the recipe or from the lock that the user keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oic.handover.packages import Index, LockFile
from oic.stage import Kind
from oic.values import Value

if TYPE_CHECKING:
    from oic.config.repository import Repository
    from oic.ospackage.lock import Request


class Slice(Value):
    """The request; for a lock that the user keeps, also the repositories that it is checked against.

    Of the answer is said which `excluded` packages it has all the same, and what ``kernel.version`` would have done
    where it has no effect: `ignored_series`, on the packages `kernels`.
    """

    provider: str
    request: Request
    repositories: tuple[Repository, ...] = ()
    excluded: tuple[str, ...] = ()
    ignored_series: str = ""
    kernels: tuple[str, ...] = ()


KIND: Kind[Slice] = Kind(
    name="solve",
    version=5,
    doc="choose every package of the image and of its tools, exactly",
    reads=(Index,),
    writes=(LockFile,),
)
