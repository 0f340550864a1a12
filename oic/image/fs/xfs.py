"""Creates an empty xfs: mkfs.xfs fills one from a protofile only, which loses times and extended attributes.

Two images differ: mkfs.xfs draws the generation of each inode and takes the time from the clock.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from oic.errors import OicError
from oic.files import atomic_file
from oic.image.tools import reproducible_env

if TYPE_CHECKING:
    from oic.image.fs.spec import FileSystemSpec
    from oic.image.tools import Tools


def make(spec: FileSystemSpec, tools: Tools) -> None:
    """Write a file system; see `oic.image.fs.FileSystem`. Raises OicError where the tree has files for it."""
    if found := sorted(os.listdir(spec.view)):
        raise OicError(
            f"xfs can only be empty at build time, as its tools fill none: found {found[0]} in {spec.at}",
            hint="use ext4 or btrfs, or mount it where the packages have no files",
        )
    with atomic_file(spec.image) as temporary:
        os.truncate(temporary, spec.size)
        label = ["-L", spec.label] if spec.label else []
        argv = ["mkfs.xfs", "-q", "-f", "-K", "-m", f"uuid={spec.uuid}", *label, str(temporary)]
        tools.run(argv, env=reproducible_env(spec.epoch))
