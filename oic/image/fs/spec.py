"""What a file system is to be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oic.errors import OicError
from oic.values import Value

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from oic.values import Bytes


class DoesNotFitError(OicError):
    """The files of a partition need more room than its file system has."""

    def told(self, directories: Sequence[str], packages: Sequence[str]) -> DoesNotFitError:
        """Return the error with where the space goes: the largest directories, and the largest packages."""
        parts = [f"largest directories: {', '.join(directories)}"] if directories else []
        parts += [f"largest packages: {', '.join(packages)}"] if packages else []
        return DoesNotFitError(self.message, where=self.where, hint="; ".join([self.hint or "", *parts]))


class FileSystemSpec(Value):
    """A file system to create in the file `image` from the directory `view`, which the image mounts `at` a path.

    `type` is its name in recipes.
    """

    type: str
    view: Path
    at: str
    image: Path
    size: Bytes
    uuid: str
    label: str
    epoch: int

    def too_large(self, needed: int, *, about: bool = True) -> DoesNotFitError:
        """Return the error for content that needs more bytes than the file system has."""
        missing = -(-max(needed - self.size, 1) >> 20)
        need = f"{'about ' if about else ''}{-(-needed >> 20)} MiB"
        return DoesNotFitError(
            f"the files of {self.at or 'the partition'} do not fit its {self.type}: "
            f"needs {need}, has {self.size >> 20} MiB, {missing} MiB too few",
            hint="raise the partition's size, or say size: auto",
        )
