"""An ext4 file system from a directory tree, the same bits from equal trees.

    tree ──mke2fs -d──> image ──inode table read──> what differs ──debugfs──> image, read again

* ``mke2fs -d`` walks the tree sorted by name (bytewise under ``LC_ALL=C``), skips blocks of zeros whatever holes the
  source has, and needs no quoting: names of any bytes are safe, which no debugfs script can say.
* What it takes from the host, change and access times and the order of extended attributes, is overruled: each inode's
  ctime, atime and crtime are `epoch`; its mtime is the file's own in whole seconds, `epoch` if later or before 1970.
  Extended attributes are left out by mke2fs (``no_copy_xattrs``) and set one by one, in sorted order, by debugfs.
* ``mke2fs.conf`` is not read: the features are spelled out here, so two versions of e2fsprogs make the same kind.
* debugfs exits 0 whatever happens: each line it prints must be the echo of a command or its banner, and the inode
  table read again must be as wanted.
* Nothing of the tree reaches a shell or an argument list; a path reaches debugfs only when it has extended attributes,
  quoted as libss does it, which has no way to write a line break: such a file is refused by name.

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

    from oic.image.fs import Wanted
    from oic.image.tools import Tools

_FEATURES = (
    "has_journal,ext_attr,resize_inode,dir_index,filetype,extent,64bit,flex_bg,sparse_super,large_file,huge_file,"
    "dir_nlink,extra_isize,metadata_csum"
)
# How much was ever written depends on the order of writes; 0 stays 0. ``-a`` carries it to the backup superblocks.
_SUPERBLOCK = (b"set_super_value kbytes_written 0", b"close_filesys -a")
_LINE_LIMIT = 8000  # debugfs reads its script by lines of BUFSIZ, 8192


MOUNTED_AS = "ext4"
LONGEST_LABEL = 16


def label_wanted(label: str) -> str:
    """Return that any label can be."""
    del label
    return ""


def make(wanted: Wanted, tools: Tools) -> None:
    """Write a file system with a tree's content, see `oic.image.fs.FileSystem`; raises OSError for one unreadable."""
    tree, image, size, epoch = wanted.view, wanted.image, wanted.size, wanted.epoch
    survey = survey_tree(tree)
    with atomic_file(image) as temporary, tempfile.TemporaryDirectory(dir=image.parent, prefix=".ext4.") as work:
        os.truncate(temporary, size)
        try:
            argv = _mke2fs(wanted, temporary, inodes=_inode_count(survey, size))
            tools.run(argv, env=reproducible_env(epoch))
        except ToolError as error:
            _explain(error, tree, survey, size)
            raise
        corrections = [*_root_commands(tree.lstat(), epoch), *_time_commands(temporary, epoch)]
        corrections += _xattr_commands(survey.xattrs, Path(work))
        _run_debugfs([*corrections, *_SUPERBLOCK], temporary, Path(work), epoch, tools)
        left = [*_time_commands(temporary, epoch)]
        if left:
            raise ToolError(f"debugfs left {len(left)} inode times: {left[0].decode()}", where=str(image))


def quoted(word: bytes) -> bytes:
    """Return a word as debugfs' command line reads it back (libss, parse.c): in quotes, a quote inside doubled.

    Raises ValueError for bytes that its script reader takes for the end of a line.
    """
    if {*b"\n\r\0"} & {*word}:
        raise ValueError(word)
    return b'"' + word.replace(b'"', b'""') + b'"'


def _inode_count(survey: Survey, size: int) -> int:
    """One inode for 16 KiB, as mke2fs does, but a quarter more than the tree has, for many small files."""
    return max(size // 16384, survey.entries * 5 // 4 + 64)


def _mke2fs(wanted: Wanted, image: Path, *, inodes: int) -> Sequence[str]:
    # A file just truncated reads as zeros: nothing is wiped, nothing discarded (whether a host can punch holes would
    # show in the image), and the kernel has no inode tables left to zero at first boot.
    extended = "nodiscard,assume_storage_prezeroed=1,lazy_itable_init=0,no_copy_xattrs"
    return (
        "mke2fs", "-q", "-F", "-b", str(BLOCK), "-I", "256", "-N", str(inodes), "-O", f"none,{_FEATURES}",
        "-U", wanted.uuid, "-L", wanted.label, "-E", f"{extended},hash_seed={uuid_for(wanted.uuid, 'ext4 hash')}",
        "-d", str(wanted.view), str(image), f"{wanted.size // 1024}k",
    )  # fmt: skip


def _explain(error: ToolError, tree: Path, survey: Survey, size: int) -> None:
    """Say how much is needed when that is why mke2fs failed: content, inodes, journal and tables."""
    tables = _inode_count(survey, size) * 256
    needed = survey.content + tables
    needed = (needed + _journal(needed)) * 104 // 100 + (4 << 20)
    if needed <= size and "could not allocate" not in str(error).lower():
        return
    needed = max(needed, size + size // 16)
    raise OicError(
        f"the tree does not fit its file system: needs about {-(-needed >> 20)} MiB, has {size >> 20} MiB",
        where=str(tree),
        hint="raise the partition's size",
    ) from error


def _journal(size: int) -> int:
    """Return the bytes of journal that mke2fs gives a file system of `size` (ext2fs_default_journal_size), or more."""
    limits = ((128 << 20, 4), (1 << 30, 16), (2 << 30, 32), (16 << 30, 64), (32 << 30, 128), (64 << 30, 256))
    return next((mib for limit, mib in limits if size * 5 // 4 < limit), 1024) << 20


def _root_commands(status: os.stat_result, epoch: int) -> list[bytes]:
    """Return what gives the root directory, which is mke2fs' own, the tree's owner, mode and time."""
    fields = {
        "mode": stat.S_IFDIR | stat.S_IMODE(status.st_mode),
        "uid": status.st_uid,
        "gid": status.st_gid,
        "mtime": f"@{_clamped(int(status.st_mtime), epoch)}",
    }
    return [f"set_inode_field <2> {name} {value}".encode() for name, value in fields.items()]


def _clamped(mtime: int, epoch: int) -> int:
    """Return a file's time, or `epoch` for one after it; an inode's 32 bits before 1970 read as far in the future."""
    return mtime if 0 <= mtime <= epoch else epoch


def _time_commands(image: Path, epoch: int) -> Iterator[bytes]:
    """Yield a command for each time in the image's inodes that is not as it must be."""
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
    """Run a script and hold what was printed against it; raises ToolError with the first line that is not an echo."""
    script, out, err = work / "script", work / "out", work / "err"
    script.write_bytes(b"".join(line + b"\n" for line in commands))
    shell = 'exec debugfs -w -f "$1" "$2" >"$3" 2>"$4"'
    complaints = []
    try:
        tools.run(["sh", "-c", shell, "debugfs", *map(str, (script, image, out, err))], env=reproducible_env(epoch))
    except ToolError as error:
        complaints.append(str(error).encode())
    for path in (out, err):
        path.touch()  # a shell that did not even start leaves none
    complaints[:0] = [line for line in err.read_bytes().splitlines() if not line.startswith(b"debugfs 1.")]
    echoes = out.read_bytes().split(b"\n")[:-1]
    complaints += [echo for echo, line in zip(echoes, commands, strict=False) if echo != b"debugfs: " + line]
    if len(echoes) != len(commands):
        complaints.append(f"{len(echoes)} of {len(commands)} commands run".encode())
    if complaints:
        found = complaints[0].decode(errors="backslashreplace")
        raise ToolError(f"debugfs: {found}", where=str(image))
