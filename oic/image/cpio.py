"""A tree as an initramfs: a cpio archive (newc), compressed as one zstd stream, which the kernel unpacks into memory.

* Sorted, with inodes numbered anew and without device numbers. Times, modes and owners are the tree's; extended
  attributes are left out, as the format has none.
* One stream: the kernel goes on to the next one only where an archive ends (Documentation/driver-api/early-userspace).
* zstd divides its work by the size of the input, not by the number of processors: the bytes are the same everywhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from oic.image.tools import Tools

_SCRIPT = """
set -eo pipefail
cd "$1"; target="$2"; shift 2
find . -mindepth 1 "$@" -print0 | sort --zero-terminated |
  cpio --null --create --format=newc --reproducible --quiet |
  zstd --threads=0 -9 --quiet --stdout > "$target"
"""
"""The arguments are the tree, the result, and expressions of find(1) that leave paths out."""


def make_initramfs(tree: Path, target: Path, excluded: Sequence[str], tools: Tools) -> None:
    """Pack a tree without the paths that the patterns `excluded` name, relative to it. Raises ToolError."""
    left_out = [word for pattern in excluded for word in ("-path", f"./{pattern}", "-prune", "-o")]
    tools.run(["bash", "-c", _SCRIPT, "pack", str(tree), str(target), *left_out], env={"LC_ALL": "C"})
