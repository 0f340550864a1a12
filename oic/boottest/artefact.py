"""Chooses the artefact of an image to boot: one that qemu can read, else a compressed one, which is unpacked."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import lzma
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

import zstandard

from oic.boottest.failure import BootError
from oic.image.formats import DISK_FORMATS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from oic.handover.disk import Product

QEMU_FORMATS = {"raw": "raw", **{word: kind.QEMU for word, kind in DISK_FORMATS.items()}}
_PIECE = 1 << 20
_ZEROS = bytes(_PIECE)


_OPENERS: dict[str, Callable[..., Any]] = {"gz": gzip.open, "xz": lzma.open, "bz2": bz2.open}


@contextlib.contextmanager
def _opened(path: Path, compression: str) -> Iterator[Any]:
    """Open a compressed file, which may consist of several streams, for reading its content."""
    if compression == "zstd":
        reader = zstandard.ZstdDecompressor().stream_reader(path.open("rb"), read_across_frames=True)
    else:
        reader = _OPENERS[compression](path, "rb")
    with reader:
        yield reader


@dataclass(frozen=True, slots=True, kw_only=True)
class BootDisk:
    """A disk that qemu can read, and qemu's name of its format."""

    path: Path
    format: str


@contextlib.contextmanager
def boot_disk(products: Sequence[Product], cache: Path, work: Path) -> Iterator[BootDisk]:
    """Yield the disk to boot; raises BootError when no artefact has one. Unpacked files are in `work` until the end."""
    disks = [product for product in products if product.format in QEMU_FORMATS]
    if not disks:
        raise BootError(
            "expected an artefact that is a disk, found none", hint="add one: disk.artifacts: [{type: raw}]"
        )
    best = min(disks, key=lambda product: (bool(product.compression), product.format != "raw"))
    path, form = cache / best.file.path, QEMU_FORMATS[best.format]
    if not best.compression:
        yield BootDisk(path=path, format=form)
        return
    work.mkdir(parents=True, exist_ok=True)
    plain = work / "boot-test.disk"
    try:
        with _opened(path, best.compression) as source, plain.open("wb") as target:
            _copy_sparse(source, target)
        yield BootDisk(path=plain, format=form)
    finally:
        plain.unlink(missing_ok=True)


def _copy_sparse(source: Any, target: IO[bytes]) -> None:
    size = 0
    while piece := source.read(_PIECE):
        size += len(piece)
        if piece == _ZEROS[: len(piece)]:
            target.seek(len(piece), 1)
        else:
            target.write(piece)
    target.truncate(size)
