"""Creates a FAT file system, such as the EFI system partition; equal content gives equal images.

* mkfs.vfat creates it; mtools copies the files into it in sorted order, without mounting. Times are `epoch`, in UTC.
* The caller gives the volume id; mkfs.vfat's ``--invariant`` would override it.
* What is called fat32 is FAT32 from 64 MiB on, as UEFI 2.10 section 13.3.1 requires for an ESP; below that, mkfs.vfat
  chooses. What is called fat16 or fat12 is that.
* Names that FAT cannot hold, and names that differ in case only, are refused: mtools would rename them or ask.
"""

from __future__ import annotations

import os
import stat
import struct
import tempfile
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from oic.chroot.tree import walk
from oic.errors import OicError
from oic.files import atomic_file, open_output
from oic.image.seeds import volume_id_for
from oic.image.tools import reproducible_env

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from oic.image.fs.spec import FileSystemSpec
    from oic.image.tools import Tools
    from oic.values import Bytes

_FAT32_FROM = 64 << 20
_FIRST_DAY = 315532800  # 1980-01-01, the earliest date in FAT
_VOLUME_LABEL = b"\x08"
_FORBIDDEN = frozenset('"*:<>?\\|') | {chr(code) for code in range(32)} | {"\x7f"}


def make(spec: FileSystemSpec, tools: Tools) -> None:
    """Write a file system; see `oic.image.fs.making.Maker`."""
    files, directories = _content(spec.view, spec.at)
    make_fat(
        spec.image,
        kind=spec.type,
        size=spec.size,
        volume_id=volume_id_for(spec.uuid, "volume id"),
        label=spec.label,
        epoch=spec.epoch,
        files=files,
        directories=directories,
        tools=tools,
    )


def _content(view: Path, at: str) -> tuple[dict[str, Path], list[str]]:
    """Return the files and directories of a tree; raises OicError for anything else, such as a link."""
    files: dict[str, Path] = {}
    directories: list[str] = []
    for path, status in walk(view):
        if stat.S_ISREG(status.st_mode):
            files[path] = view / path
        elif not stat.S_ISDIR(status.st_mode):
            raise OicError(f"FAT holds only files and directories, found another kind: {at}/{path}")
        elif path != ".":
            directories.append(path)
    return files, directories


def make_fat(  # noqa: PLR0913
    image: Path,
    *,
    kind: str = "fat32",
    size: Bytes,
    volume_id: int,
    label: str,
    epoch: int,
    files: Mapping[str, Path | bytes],
    directories: Sequence[str] = (),
    tools: Tools,
) -> None:
    """Write a FAT image of `size` bytes with `files`, a mapping of path in the image to source.

    `kind` is its name in recipes. Parent directories are created; `directories` lists further ones, which may be empty.
    A source that is a path must be visible to the tools under the same path. Raises OicError for a name or label that
    FAT cannot hold and for content that does not fit, ToolError when a tool fails.
    """
    contents = {PurePosixPath("/", name): files[name] for name in sorted(files)}
    below = {parent for path in contents for parent in path.parents if parent.name}
    every = sorted({*below, *(PurePosixPath("/", name) for name in directories)})
    _check_names([*every, *contents])
    _check_label(label)
    _check_room(contents, size)
    with atomic_file(image) as temporary, tempfile.TemporaryDirectory(dir=image.parent, prefix=".fat.") as work:
        os.truncate(temporary, size)
        env = reproducible_env(epoch)
        bits = ["-F", kind.removeprefix("fat")] if kind != "fat32" or size >= _FAT32_FROM else []
        tools.run(["mkfs.vfat", *bits, "-i", f"{volume_id:08x}", "-n", label or "NO NAME", str(temporary)], env=env)
        _date_label(temporary, epoch)
        if every:
            tools.run(["mmd", "-i", str(temporary), *(f"::{path}" for path in every)], env=env)
        for number, (path, content) in enumerate(contents.items()):
            source = content if isinstance(content, Path) else Path(work, str(number))
            if isinstance(content, bytes):
                source.write_bytes(content)
            tools.run(["mcopy", "-i", str(temporary), str(source), f"::{path}"], env=env)


def _date_label(image: Path, epoch: int) -> None:
    """Set the time of the volume label, the first entry of the root directory, to `epoch`: mkfs.vfat uses the clock."""
    when = datetime.fromtimestamp(max(epoch, _FIRST_DAY), UTC)
    time = when.hour << 11 | when.minute << 5 | when.second // 2
    day = (when.year - 1980) << 9 | when.month << 5 | when.day
    with open_output(image, "r+b") as file:
        boot = file.read(512)
        sector, _, reserved, tables, _, _, _, short = struct.unpack_from("<HBHBHHBH", boot, 11)
        (long,) = struct.unpack_from("<I", boot, 36)  # sectors per table in FAT32; older kinds have them in `short`
        root = (reserved + tables * (short or long)) * sector
        file.seek(root + 11)
        if file.read(1) == _VOLUME_LABEL:
            file.seek(root + 14)
            file.write(struct.pack("<HHHHHH", time, day, day, 0, time, day))


def _check_names(paths: list[PurePosixPath]) -> None:
    seen: dict[str, PurePosixPath] = {}
    for path in paths:
        for part in path.parts[1:]:
            if _FORBIDDEN & {*part} or part.endswith((".", " ")) or part == ".." or len(part) > 255:
                raise OicError(f"FAT cannot hold the name {part!r}", where=str(path))
        other = seen.setdefault(str(path).casefold(), path)
        if other != path or paths.count(path) > 1:
            raise OicError(f"FAT cannot hold {path} beside {other}: they are the same name to FAT")


def _check_label(label: str) -> None:
    """Raise OicError for an invalid label."""
    if len(label) > 11 or not label.isascii() or _FORBIDDEN & {*label}:
        raise OicError(f"a FAT label has at most 11 characters of ASCII, found {label!r}")


def _check_room(contents: Mapping[PurePosixPath, Path | bytes], size: int) -> None:
    """Raise OicError if the content does not fit: whole clusters of 4 KiB, each with 32 bits in two tables."""
    sizes = [len(content) if isinstance(content, bytes) else content.stat().st_size for content in contents.values()]
    needed = sum(-(-one // 4096) * (4096 + 8) for one in sizes) + (64 << 10)
    if needed > size:
        raise OicError(
            f"the files do not fit the FAT file system: needs about {-(-needed >> 20)} MiB, has {size >> 20} MiB",
            hint="raise the partition's size",
        )
