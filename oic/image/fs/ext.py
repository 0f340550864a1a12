"""Creates an ext2, ext3 or ext4 file system from a directory tree; equal trees give equal images.

    tree ──mke2fs -d──> image ──read inode table──> differences ──debugfs──> image, checked again

* ``mke2fs -d`` walks the tree sorted by name (bytewise under ``LC_ALL=C``) and skips blocks of zeros, whether they are
  holes in the source or not. It accepts names of any bytes, which a debugfs script does not.
* What mke2fs takes from the host is corrected: each inode's ctime, atime and crtime become `epoch`; its mtime is the
  file's in whole seconds, or `epoch` if that is later or before 1970. mke2fs does not copy extended attributes
  (``no_copy_xattrs``); debugfs sets them one by one in sorted order.
* ``mke2fs.conf`` is not read, and the features are listed here, so versions of e2fsprogs give the same result.
* debugfs always exits 0. Therefore each line of its output must be the echo of a command or its banner, and the inode
  table is read again and checked.
* No name of the tree reaches a shell or an argument list. A path is given to debugfs only if the file has extended
  attributes. It is quoted as libss expects, which cannot express a line break: such a file is refused by name.

Format: Linux Documentation/filesystems/ext4 ("The Super Block", "Block Group Descriptors", "Index Nodes").
"""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from oic.errors import OicError, ToolError
from oic.files import atomic_file
from oic.image.fs.inodes import read_times
from oic.image.fs.survey import BLOCK, Survey, Xattr, survey_tree
from oic.image.seeds import uuid_for
from oic.image.tools import reproducible_env

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from oic.image.fs.spec import FileSystemSpec
    from oic.image.tools import Tools

_EXT2 = "ext_attr,resize_inode,dir_index,filetype,sparse_super,large_file"
_FEATURES = {
    "ext2": _EXT2,
    "ext3": f"has_journal,{_EXT2}",
    "ext4": f"has_journal,{_EXT2},extent,64bit,flex_bg,huge_file,dir_nlink,extra_isize,metadata_csum",
}
# The count of bytes ever written depends on the order of writes. ``-a`` writes the 0 to the backup superblocks too.
_SUPERBLOCK = (b"set_super_value kbytes_written 0", b"close_filesys -a")
_LINE_LIMIT = 8000  # debugfs reads lines of at most BUFSIZ (8192) bytes


def make(spec: FileSystemSpec, tools: Tools) -> None:
    """Write a file system; see `oic.image.fs.FileSystem`. Raises OSError when the tree cannot be read."""
    tree, image, size, epoch = spec.view, spec.image, spec.size, spec.epoch
    survey = survey_tree(tree)
    with atomic_file(image) as temporary, tempfile.TemporaryDirectory(dir=image.parent, prefix=".ext4.") as work:
        os.truncate(temporary, size)
        try:
            argv = _mke2fs(spec, temporary, inodes=_inode_count(survey, size))
            tools.run(argv, env=reproducible_env(epoch))
        except ToolError as error:
            _explain(error, spec, survey)
            raise
        corrections = [*_root_commands(tree.lstat(), epoch), *_time_commands(temporary, epoch)]
        corrections += _xattr_commands(survey.xattrs, Path(work))
        _run_debugfs([*corrections, *_SUPERBLOCK], temporary, Path(work), epoch, tools)
        left = [*_time_commands(temporary, epoch)]
        if left:
            raise ToolError(
                f"debugfs did not set {len(left)} inode times, the first by {left[0].decode()}", where=str(image)
            )


def quoted(word: bytes) -> bytes:
    """Return a word quoted for debugfs (libss, parse.c): in double quotes, with quotes inside doubled.

    Raises ValueError for bytes that end a line in a debugfs script.
    """
    if {*b"\n\r\0"} & {*word}:
        raise ValueError(word)
    return b'"' + word.replace(b'"', b'""') + b'"'


def _inode_count(survey: Survey, size: int) -> int:
    """Return one inode for each 16 KiB, as mke2fs does, but at least a quarter more than the tree has entries."""
    return max(size // 16384, survey.entries * 5 // 4 + 64)


def _mke2fs(spec: FileSystemSpec, image: Path, *, inodes: int) -> Sequence[str]:
    # The file was just truncated to zeros, so nothing has to be wiped. Discarding would show in the image whether the
    # host can punch holes. Without lazy_itable_init, the kernel has no inode tables to zero at first boot.
    extended = "nodiscard,assume_storage_prezeroed=1,lazy_itable_init=0,no_copy_xattrs"
    return (
        "mke2fs", "-q", "-F", "-b", str(BLOCK), "-I", "256", "-N", str(inodes), "-O", f"none,{_FEATURES[spec.type]}",
        "-U", spec.uuid, "-L", spec.label, "-E", f"{extended},hash_seed={uuid_for(spec.uuid, 'ext4 hash')}",
        "-d", str(spec.view), str(image), f"{spec.size // 1024}k",
    )  # fmt: skip


def _explain(error: ToolError, spec: FileSystemSpec, survey: Survey) -> None:
    """Raise OicError that says how much space is needed, if mke2fs failed for lack of space."""
    tables = _inode_count(survey, spec.size) * 256
    needed = survey.content + tables
    needed = (needed + _journal(needed)) * 104 // 100 + (4 << 20)
    if needed <= spec.size and "could not allocate" not in str(error).lower():
        return
    raise spec.too_large(max(needed, spec.size * 17 // 16)) from error


def _journal(size: int) -> int:
    """Return at least the journal size that mke2fs uses for a file system of `size` (ext2fs_default_journal_size)."""
    limits = ((128 << 20, 4), (1 << 30, 16), (2 << 30, 32), (16 << 30, 64), (32 << 30, 128), (64 << 30, 256))
    return next((mib for limit, mib in limits if size * 5 // 4 < limit), 1024) << 20


def _root_commands(status: os.stat_result, epoch: int) -> list[bytes]:
    """Return commands that set the owner, mode and time of the root directory, which mke2fs does not copy."""
    fields = {
        "mode": stat.S_IFDIR | stat.S_IMODE(status.st_mode),
        "uid": status.st_uid,
        "gid": status.st_gid,
        "mtime": f"@{_clamped(int(status.st_mtime), epoch)}",
    }
    return [f"set_inode_field <2> {name} {value}".encode() for name, value in fields.items()]


def _clamped(mtime: int, epoch: int) -> int:
    """Return a time, or `epoch` for a later one or one before 1970, which 32 bits would turn into the far future."""
    return mtime if 0 <= mtime <= epoch else epoch


def _time_commands(image: Path, epoch: int) -> Iterator[bytes]:
    """Yield a command for each wrong time in the inodes of the image."""
    for number, times in read_times(image):
        for field, value in times.items():
            wanted = 0 if field.endswith("_extra") else _clamped(value, epoch) if field == "mtime" else epoch
            if value != wanted:
                text = str(wanted) if field.endswith("_extra") else f"@{wanted}"
                yield f"set_inode_field <{number}> {field} {text}".encode()


def _xattr_commands(xattrs: Sequence[Xattr], work: Path) -> list[bytes]:
    commands = []
    for number, xattr in enumerate(xattrs):
        value = work / f"xattr.{number}"
        value.write_bytes(xattr.value)
        try:
            line = b"ea_set -f " + b" ".join([quoted(os.fsencode(value)), quoted(xattr.path), quoted(xattr.name)])
        except ValueError:
            line = b" " * _LINE_LIMIT
        if len(line) >= _LINE_LIMIT:
            raise OicError(
                f"cannot set {os.fsdecode(xattr.name)!r} on {os.fsdecode(xattr.path)!r}: debugfs cannot read this name",
                hint="a file with extended attributes needs a name without line breaks",
            )
        commands.append(line)
    return commands


def _run_debugfs(commands: Sequence[bytes], image: Path, work: Path, epoch: int, tools: Tools) -> None:
    """Run debugfs and compare its output with the commands; raises ToolError with the first line that is no echo."""
    script, out, err = work / "script", work / "out", work / "err"
    script.write_bytes(b"".join(line + b"\n" for line in commands))
    shell = 'exec debugfs -w -f "$1" "$2" >"$3" 2>"$4"'
    complaints = []
    try:
        tools.run(["sh", "-c", shell, "debugfs", *map(str, (script, image, out, err))], env=reproducible_env(epoch))
    except ToolError as error:
        complaints.append(str(error).encode())
    for path in (out, err):
        path.touch()  # they are missing if the shell did not start
    complaints[:0] = [line for line in err.read_bytes().splitlines() if not line.startswith(b"debugfs 1.")]
    echoes = out.read_bytes().split(b"\n")[:-1]
    complaints += [echo for echo, line in zip(echoes, commands, strict=False) if echo != b"debugfs: " + line]
    if len(echoes) != len(commands):
        complaints.append(f"{len(echoes)} of {len(commands)} commands run".encode())
    if complaints:
        found = complaints[0].decode(errors="backslashreplace")
        raise ToolError(f"debugfs: {found}", where=str(image))
