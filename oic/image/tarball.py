"""A tree as a tar archive (POSIX.1-2001, pax), made by the build environment's own tar.

Sorted, with numeric owners, extended attributes and the times of the tree; without what depends on when it is read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from oic.image.tools import Tools

_PAX = "exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime"
"""Without a name of its own, a header's has the number of tar's process in it."""


def make_tar(tree: Path, target: Path, epoch: int, tools: Tools) -> None:
    """Write everything below `tree` into a tar, with no time later than `epoch`; raises ToolError."""
    form = ["--format=posix", f"--pax-option={_PAX}", "--sort=name", "--clamp-mtime", f"--mtime=@{epoch}"]
    content = ["--numeric-owner", "--xattrs", "--xattrs-include=*", f"--directory={tree}", "."]
    tools.run(["tar", "--create", f"--file={target}", *form, *content], env={"LC_ALL": "C"})
