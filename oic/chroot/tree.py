"""Root file trees: walking them, their digests, and the times of their files.

* Times later than the epoch are set to the epoch. So are the times of all directories, which the build has changed.
* The digest covers the path, type, mode, owner, extended attributes, link target or content, and time of each entry.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from typing import TYPE_CHECKING

from oic.values import Digest, Value

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from oic.handover.tree import PassedOver


_OVERLAY_ATTRIBUTES = {f"user.overlay.{note}" for note in ("impure", "nlink", "origin", "uuid")}
"""Attributes that overlayfs sets for its own use; they are not content and differ from build to build."""


class Tree(Value):
    """A mounted tree: its `root`, the layers `below` it, the directory `upper` for changes, the `log` of programs, and
    the `epoch` reached so far.

    `tools` is the tree of the build environment; `work` is a directory for temporary files and is removed afterwards.
    """

    root: Path
    below: tuple[Path, ...]
    upper: Path
    log: Path
    epoch: int
    tools: Path
    work: Path


class Filled(Value):
    """The result of filling a tree: the newest time in it, and the scriptlets whose failure was tolerated."""

    epoch: int
    passed: tuple[PassedOver, ...] = ()


def walk(root: Path) -> Iterator[tuple[str, os.stat_result]]:
    """Yield `root` (as ``.``) and every path below it with its lstat, in byte order of the path's components."""
    yield ".", os.lstat(root)
    yield from _walk(str(root), "")


def _walk(directory: str, prefix: str) -> Iterator[tuple[str, os.stat_result]]:
    with os.scandir(directory) as entries:
        ordered = sorted(entries, key=lambda entry: os.fsencode(entry.name))
    for entry in ordered:
        path = prefix + entry.name
        yield path, entry.stat(follow_symlinks=False)
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(entry.path, path + "/")


def clamp_times(root: Path, epoch: int) -> None:
    """Set times later than `epoch`, in seconds since 1970, to `epoch`."""
    for path, status in list(walk(root)):
        if stat.S_ISDIR(status.st_mode) or status.st_mtime > epoch:
            os.utime(root / path, (epoch, epoch), follow_symlinks=False)


def digest_of_tree(root: Path) -> Digest:
    """Return the digest of a tree's content."""
    whole = hashlib.sha256()
    for path, status in walk(root):
        whole.update(_describe(root / path, path, status))
    return Digest(whole.hexdigest())


def glob_in(root: Path, patterns: Sequence[str]) -> tuple[str, ...]:
    """Return each path below `root` that matches one of the glob `patterns`."""
    return tuple(sorted({str(path.relative_to(root)) for pattern in patterns for path in _glob(root, pattern)}))


def _glob(root: Path, pattern: str) -> Iterator[Path]:
    """Yield the matches of a pattern; pathlib alone would miss a link whose target is not in this layer."""
    if "*" in pattern:
        yield from root.glob(pattern)
    elif os.path.lexists(root / pattern):
        yield root / pattern


class Facts(Value):
    """The attributes of an entry of a tree, without its path; `content` is a file's sha256 or a link's target."""

    mode: int
    user: int
    group: int
    links: int
    mtime: int
    content: str
    attributes: tuple[tuple[str, bytes], ...]


def facts_of(file: Path, status: os.stat_result) -> Facts:
    """Return the attributes of an entry, without those that overlayfs sets for its own use."""
    mode = status.st_mode
    content = ""
    if stat.S_ISREG(mode):
        with file.open("rb") as opened:
            content = hashlib.file_digest(opened, "sha256").hexdigest()
    elif stat.S_ISLNK(mode):
        content = os.readlink(file)
    elif stat.S_ISCHR(mode) or stat.S_ISBLK(mode):
        content = str(status.st_rdev)
    names = sorted(name for name in os.listxattr(file, follow_symlinks=False) if name not in _OVERLAY_ATTRIBUTES)
    return Facts(
        mode=mode,
        user=status.st_uid,
        group=status.st_gid,
        links=status.st_nlink if stat.S_ISREG(mode) else 0,
        mtime=int(status.st_mtime),
        content=content,
        attributes=tuple((name, os.getxattr(file, name, follow_symlinks=False)) for name in names),
    )


def _describe(file: Path, path: str, status: os.stat_result) -> bytes:
    facts = facts_of(file, status)
    attributes = list(facts.attributes)
    fields = (path, facts.mode, facts.user, facts.group, facts.links, facts.mtime, facts.content, attributes)
    return os.fsencode(repr(fields)) + b"\n"


def remove_matches(root: Path, patterns: Sequence[str]) -> None:
    """Remove the matches of glob `patterns`: files that must differ between machines, and traces of this build."""
    for pattern in patterns:
        for path in sorted(root.glob(pattern)):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
