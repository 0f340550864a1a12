"""collect: brings the package files that a recipe names into the store, and lists them for the solver."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oic.handover.collected import Collected
from oic.stage import Kind
from oic.values import Value

if TYPE_CHECKING:
    from oic.config.repository import PackageFile


class FileRepository(Value):
    """A repository of package files; `insecure`: servers are not verified, as each file has a sha256."""

    name: str
    package_files: tuple[PackageFile, ...]
    insecure: bool


class Slice(Value):
    """The repositories that are made of files, with the digests of files of this host but not their places."""

    provider: str
    architecture: str
    repositories: tuple[FileRepository, ...]


def source_key(repository: str, file: PackageFile) -> str:
    """Return the name of a file of this host among the sources of the stage."""
    return f"{repository}: {file.name}"


KIND: Kind[Slice] = Kind(
    name="collect",
    version=1,
    doc="bring the package files that the recipe names into the store, and list them",
    reads=(),
    writes=(Collected,),
)
