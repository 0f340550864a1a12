"""Creates a squashfs from a directory tree; equal trees give equal images.

* mksquashfs sorts the files and takes ``SOURCE_DATE_EPOCH`` for its own time and as the latest time of a file.
* Holes are stored as zeros, so that it makes no difference whether the source has them. Attributes of a file are stored
  in the order in which the source has them. A squashfs has no access control lists.
* It has neither a UUID nor a label. The image is shorter than its partition.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from oic.files import atomic_file
from oic.image.tools import reproducible_env

if TYPE_CHECKING:
    from oic.image.fs.spec import FileSystemSpec
    from oic.image.tools import Tools

_OPTIONS = ("-noappend", "-no-progress", "-quiet", "-no-sparse", "-comp", "zstd", "-Xcompression-level", "9")


def make(spec: FileSystemSpec, tools: Tools) -> None:
    """Write a file system; see `oic.image.fs.FileSystem`."""
    with atomic_file(spec.image) as temporary:
        argv = ["mksquashfs", str(spec.view), str(temporary), *_OPTIONS]
        tools.run(argv, env=reproducible_env(spec.epoch))
        if (found := temporary.lstat().st_size) > spec.size:
            raise spec.too_large(found, about=False)
