"""Files compressed by the build environment's own programs: in parallel, quick over holes, the same bytes anywhere.

::

    file = piece | piece | …        of `PIECE` bytes, counted from its start
    result = stream | stream | …    one of each piece, in order

* gzip (RFC 1952, 2.2), xz, bzip2 and zstd (RFC 8878, 3.1) all take a file of several streams for one.
* Where a piece begins does not depend on how many processors there are, and so neither does any bit.
* A piece that is all hole is compressed once for each length: its stream is that of as many zeros.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from oic.files import atomic_file, open_output
from oic.image.disk.raw import data_in

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from oic.image.tools import Tools

PIECE = 32 << 20
_MIB = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Compression:
    """A program that compresses its standard input to its output, and what the names of its files end in."""

    ending: str
    argv: tuple[str, ...]


COMPRESSIONS = {
    "gz": Compression(ending="gz", argv=("gzip", "--no-name", "-6")),
    "xz": Compression(ending="xz", argv=("xz", "--threads=1", "-6")),
    "zstd": Compression(ending="zst", argv=("zstd", "--single-thread", "-3", "--quiet", "--stdout")),
    "bz2": Compression(ending="bz2", argv=("bzip2", "-9")),
}
"""By the recipe's word."""

_SCRIPT = """
set -eo pipefail
program=("$@")
compress() {
  while read -r source skip count name; do
    dd if="$source" bs=1M skip="$skip" count="$count" iflag=fullblock status=none | "${program[@]}" > "$name"
  done
}
workers=()
for list in list-*; do compress < "$list" & workers+=($!); done
for worker in "${workers[@]}"; do wait "$worker"; done
"""
"""Compresses the pieces of each list in the working directory, list beside list."""


def compress(source: Path, target: Path, word: str, work: Path, tools: Tools, *, seen: Path) -> None:  # noqa: PLR0913
    """Compress a file that the tools see as `seen`; `work` is an empty directory of theirs too. Raises ToolError."""
    pieces = _pieces(source)
    sources = {name: (seen, start, length) for start, length, name in pieces if not name.startswith("zeros-")}
    sources |= {name: (_zeros(work, length), 0, length) for _, length, name in pieces if name.startswith("zeros-")}
    lines = [f"{file} {start // _MIB} {-(-length // _MIB)} {name}\n" for name, (file, start, length) in sources.items()]
    workers = len(os.sched_getaffinity(0))
    for number in range(min(workers, len(lines))):
        (work / f"list-{number}").write_text("".join(lines[number::workers]), encoding="utf-8")
    script = f"cd '{work}'\n{_SCRIPT}"
    tools.run(["bash", "-c", script, "compress", *COMPRESSIONS[word].argv], env={"LC_ALL": "C"})
    with atomic_file(target) as aside, aside.open("r+b") as file:
        for _, _, name in pieces:
            with open_output(work / name) as stream:
                shutil.copyfileobj(stream, file, _MIB)


def _pieces(source: Path) -> Sequence[tuple[int, int, str]]:
    """Return each piece's start, its length, and the name of the file with its stream."""
    with source.open("rb", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        full = {
            number
            for start, end in data_in(file.fileno(), 0, size)
            for number in range(start // PIECE, -(-end // PIECE))
        }
    found = []
    for number in range(max(1, -(-size // PIECE))):
        length = min(PIECE, size - number * PIECE)
        found.append((number * PIECE, length, f"data-{number}" if number in full or not size else f"zeros-{length}"))
    return found


def _zeros(work: Path, length: int) -> Path:
    place = work / f"hole-{length}"
    with place.open("wb") as file:
        file.truncate(length)
    return place
