"""Creates a btrfs from a directory tree, by ``mkfs.btrfs --rootdir``.

Two images of one tree differ: mkfs.btrfs draws the UUIDs of the device, of the chunk tree and of the subvolume, takes
its own times from the clock, and copies those of the files with their nanoseconds. `oic.image.fs` says so.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from oic.errors import ToolError
from oic.files import atomic_file
from oic.image.fs.survey import survey_tree
from oic.image.tools import reproducible_env

if TYPE_CHECKING:
    from oic.image.fs.spec import FileSystemSpec
    from oic.image.tools import Tools


def make(spec: FileSystemSpec, tools: Tools) -> None:
    """Write a file system; see `oic.image.fs.FileSystem`."""
    with atomic_file(spec.image) as temporary:
        os.truncate(temporary, spec.size)
        label = ["-L", spec.label] if spec.label else []
        argv = ["mkfs.btrfs", "-q", "-f", "-K", "-U", spec.uuid, *label, "--rootdir", str(spec.view), str(temporary)]
        try:
            tools.run(argv, env=reproducible_env(spec.epoch))
        except ToolError as error:
            if "space" in str(error).lower():
                raise spec.too_large(max(_needed(spec), spec.size * 17 // 16)) from error
            raise
        if (found := temporary.lstat().st_size) > spec.size:  # mkfs.btrfs makes the file longer
            raise spec.too_large(found)


def _needed(spec: FileSystemSpec) -> int:
    """Return what the tree takes: its content, its metadata twice, and the chunks that mkfs.btrfs reserves."""
    survey = survey_tree(spec.view)
    return survey.content + survey.entries * 2048 + (96 << 20)
