"""Compresses files with programs of the build environment, in parallel, to the same bytes on every machine.

::

    file = piece | piece | …        of `PIECE` bytes each, from its start
    result = stream | stream | …    one for each piece, in order

* gzip (RFC 1952, 2.2), xz, bzip2 and zstd (RFC 8878, 3.1) all read several concatenated streams as one.
* The positions of the pieces, and therefore the result, do not depend on the number of processors.
* A piece without data, a hole, is compressed only once for each length. Its stream is that of as many zeros.
"""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from oic.files import atomic_file, data_in, open_output
from oic.values import Value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from oic.image.tools import Tools

PIECE = 32 << 20
_MIB = 1 << 20


class Compression(Value):
    """A program that compresses its standard input to its output, and the ending of its file names."""

    ending: str
    argv: tuple[str, ...]


COMPRESSIONS = {
    "gz": Compression(ending="gz", argv=("gzip", "--no-name", "-6")),
    "xz": Compression(ending="xz", argv=("xz", "--threads=1", "-6")),
    "zstd": Compression(ending="zst", argv=("zstd", "--single-thread", "-3", "--quiet", "--stdout")),
    "bz2": Compression(ending="bz2", argv=("bzip2", "-9")),
}
"""The compressions by their names in a recipe."""

_SCRIPT = """
set -eo pipefail
cd "$1"; source="$2"; shift 2
program=("$@")
compress() {
  while read -r name skip count hole; do
    dd if="${hole:-$source}" bs=1M skip="$skip" count="$count" iflag=fullblock status=none | "${program[@]}" > "$name"
  done
}
workers=()
for list in list-*; do compress < "$list" & workers+=($!); done
for worker in "${workers[@]}"; do wait "$worker"; done
"""
"""Compresses the pieces in each list of a directory, all lists in parallel; holes are read from separate files.

The arguments are the directory, the file, and the program with its options.
"""


class _Piece(Value):
    """A part of the file: its position and length in bytes. Holes of the same length have the same stream."""

    start: int
    length: int
    is_hole: bool

    @property
    def stream(self) -> str:
        """Return the name of the file for its stream."""
        return f"zeros-{self.length}" if self.is_hole else f"data-{self.start}"

    @property
    def hole(self) -> str:
        """Return the name of a file that is a hole of the same length."""
        return f"hole-{self.length}"

    @property
    def line(self) -> str:
        """Return its line in a list."""
        count = -(-self.length // _MIB)
        return (
            f"{self.stream} 0 {count} {self.hole}\n"
            if self.is_hole
            else f"{self.stream} {self.start // _MIB} {count}\n"
        )


def compress(source: Path, target: Path, word: str, work: Path, tools: Tools, *, seen: Path) -> None:  # noqa: PLR0913
    """Compress a file, which the tools see at the path `seen`; `work` is an empty directory. Raises ToolError."""
    pieces = _pieces(source, PIECE)
    _compress(pieces, word, work, tools, seen)
    with atomic_file(target) as temporary, temporary.open("r+b") as whole:
        for piece in pieces:
            with open_output(work / piece.stream) as stream:
                shutil.copyfileobj(stream, whole, _MIB)


def compress_blocks(source: Path, word: str, size: int, work: Path, tools: Tools) -> Mapping[int, Path]:
    """Compress the blocks of `size` bytes of a file, each to a stream of its own; return these by their positions.

    Blocks of zeros are left out, so that it makes no difference whether they are holes. The tools see the file under
    its own path; `work` is an empty directory. Raises ToolError.
    """
    zeros = bytes(size)
    with source.open("rb", buffering=0) as file:
        pieces = [
            piece
            for piece in _pieces(source, size)
            if not piece.is_hole and os.pread(file.fileno(), piece.length, piece.start) != zeros[: piece.length]
        ]
    _compress(pieces, word, work, tools, source)
    return {piece.start: work / piece.stream for piece in pieces}


def _compress(pieces: Sequence[_Piece], word: str, work: Path, tools: Tools, seen: Path) -> None:
    """Compress pieces to files named after them in the directory `work`."""
    for piece in pieces:
        if piece.is_hole:
            with (work / piece.hole).open("wb") as file:
                file.truncate(piece.length)
    lines = list(dict.fromkeys(piece.line for piece in pieces))
    workers = len(os.sched_getaffinity(0))
    for number in range(min(workers, len(lines))):
        (work / f"list-{number}").write_text("".join(lines[number::workers]), encoding="utf-8")
    argv = ["bash", "-c", _SCRIPT, "compress", str(work), str(seen), *COMPRESSIONS[word].argv]
    if lines:
        tools.run(argv, env={"LC_ALL": "C"})


def _pieces(source: Path, length: int) -> Sequence[_Piece]:
    """Return the pieces in order; an empty file has one empty piece, because the result needs a stream."""
    with source.open("rb", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        data = {
            number * length
            for start, end in data_in(file.fileno(), 0, size)
            for number in range(start // length, -(-end // length))
        }
    return [
        _Piece(start=start, length=min(length, size - start), is_hole=start not in data and size > 0)
        for start in range(0, max(size, 1), length)
    ]
