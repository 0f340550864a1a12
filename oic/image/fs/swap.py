"""Creates swap space: a header of mkswap(8) in an otherwise empty partition."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from oic.files import atomic_file
from oic.image.tools import reproducible_env

if TYPE_CHECKING:
    from oic.image.fs.spec import FileSystemSpec
    from oic.image.tools import Tools


def make(spec: FileSystemSpec, tools: Tools) -> None:
    """Write swap space; see `oic.image.fs.FileSystem`."""
    label = ["-L", spec.label] if spec.label else []
    with atomic_file(spec.image) as temporary:
        os.truncate(temporary, spec.size)
        argv = ["mkswap", "-p", "4096", "-U", spec.uuid, *label, str(temporary)]
        tools.run(argv, env=reproducible_env(spec.epoch))
