"""Creates an erofs from a directory tree; equal trees give equal images.

* All times are `epoch`: the compact inodes of small files have no room for one of their own.
* Attributes of a file are stored in the order in which the source has them; ``lost+found`` of the top is left out.
* It has no label: mkfs.erofs sets one only since version 1.7. The image is shorter than its partition.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from oic.files import atomic_file
from oic.image.tools import reproducible_env

if TYPE_CHECKING:
    from oic.image.fs.spec import FileSystemSpec
    from oic.image.tools import Tools


def make(spec: FileSystemSpec, tools: Tools) -> None:
    """Write a file system; see `oic.image.fs.FileSystem`."""
    with atomic_file(spec.image) as temporary:
        argv = ["mkfs.erofs", "--quiet", "-zlz4", "-T", str(spec.epoch), "-U", spec.uuid]
        tools.run([*argv, str(temporary), str(spec.view)], env=reproducible_env(spec.epoch))
        if (found := temporary.lstat().st_size) > spec.size:
            raise spec.too_large(found, about=False)
