"""A tree as an initramfs: a cpio archive (newc), compressed as one zstd stream, which the kernel unpacks into memory.

* Where memory is too little, the kernel unpacks what fits, and goes on. So a shell comes first, and the file `LAST`
  last: the first program can say that it is not there.
* Else sorted, with inodes numbered anew and without device numbers. Times, modes and owners are the tree's; extended
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

LAST = "usr/lib/oic/complete"
"""The path of a file, in a tree that has it, which shows that the whole archive was unpacked."""
_FIRST = (
    r"^\./(usr/)?(bin|sbin|lib|lib32|lib64|libx32)$|^\./(usr/)?s?bin/(ba|da)?sh$|^\./init$"
    r"|^\./(usr/)?lib(64|/[^/]*-linux-gnu)?/(ld-|libc[.-]|libtinfo|libreadline|libdl[.-])[^/]*$"
)
"""What a shell needs, beside directories: itself, its libraries, links to their directories."""
_SCRIPT = """
set -eo pipefail
cd "$1"; target="$2"; needed="$3"; end="./$4"; shift 4
mapfile -d "" -t files < <(find . -mindepth 1 "$@" ! -type d -print0 | sort --zero-terminated)
wait $!  # fails if find or sort did
first=() rest=() last=()
for file in "${files[@]}"; do
  if [[ $file =~ $needed ]]; then first+=("$file")
  elif [[ $file == "$end" ]]; then last+=("$file")
  else rest+=("$file")
  fi
done
{
  find . -mindepth 1 "$@" -type d -print0 | sort --zero-terminated
  if (( ${#files[@]} )); then printf '%s\\0' "${first[@]}" "${rest[@]}" "${last[@]}"; fi
} |
  cpio --null --create --format=newc --reproducible --quiet |
  zstd --threads=0 -9 --quiet --stdout > "$target"
"""
"""The arguments are the tree, the result, `_FIRST`, `LAST`, and expressions of find(1) that leave paths out."""


def make_initramfs(tree: Path, target: Path, excluded: Sequence[str], tools: Tools) -> None:
    """Pack a tree without the paths that the patterns `excluded` name, relative to it. Raises ToolError."""
    left_out = [word for pattern in excluded for word in ("-path", f"./{pattern}", "-prune", "-o")]
    tools.run(["bash", "-c", _SCRIPT, "pack", str(tree), str(target), _FIRST, LAST, *left_out], env={"LC_ALL": "C"})
