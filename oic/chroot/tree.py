"""A root file tree while it is made, and what it becomes: a layer with a content digest.

* Times later than the epoch become the epoch, directories' always: their last change is the build's, not a package's.
* The digest is of path, type, mode, owner, extended attributes, link target or content, and time, of each entry.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from oic.values import Digest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from oic.handover.tree import PassedOver


_OVERLAY_NOTES = {f"user.overlay.{note}" for note in ("impure", "nlink", "origin", "uuid")}
"""What the overlay file system keeps for itself: not content, and not the same twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """A mounted tree: its `root`, the layers `below` it, the directory `upper` of what is written, the program `log`,
    and the `epoch` reached so far.

    `tools` is the tree of the build environment, `work` a directory for whoever fills the tree, thrown away afterwards.
    """

    root: Path
    below: tuple[Path, ...]
    upper: Path
    log: Path
    epoch: int
    tools: Path
    work: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """What came of filling a tree: the newest time in it, and the scriptlets that failed and were let pass."""

    epoch: int
    passed: tuple[PassedOver, ...] = ()


def walk(root: Path) -> Iterator[tuple[str, os.stat_result]]:
    """Yield every path below `root` (and `root` as ``.``) with its lstat, in byte order of the whole path's parts."""
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
    """Bring the times of a tree down to `epoch`, seconds since 1970."""
    for path, status in list(walk(root)):
        if stat.S_ISDIR(status.st_mode) or status.st_mtime > epoch:
            os.utime(root / path, (epoch, epoch), follow_symlinks=False)


def digest_of_tree(root: Path) -> Digest:
    """Return the digest of all that is in a tree."""
    whole = hashlib.sha256()
    for path, status in walk(root):
        whole.update(_describe(root / path, path, status))
    return Digest(whole.hexdigest())


def named_in(root: Path, patterns: Sequence[str]) -> tuple[str, ...]:
    """Return each path below `root` that one of the glob `patterns` names."""
    return tuple(sorted({str(path.relative_to(root)) for pattern in patterns for path in _named(root, pattern)}))


def _named(root: Path, pattern: str) -> Iterator[Path]:
    """Yield what a glob names; pathlib would pass over a link named in full that leads out of a layer, as most do."""
    if "*" in pattern:
        yield from root.glob(pattern)
    elif os.path.lexists(root / pattern):
        yield root / pattern


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that is known of an entry of a tree, but for its path; `content` is a file's sha256 or a link's target."""

    mode: int
    user: int
    group: int
    links: int
    mtime: int
    content: str
    attributes: tuple[tuple[str, bytes], ...]


def facts_of(file: Path, status: os.stat_result) -> Facts:
    """Return the facts of an entry; what the overlay file system keeps for itself is none."""
    mode = status.st_mode
    content = ""
    if stat.S_ISREG(mode):
        with file.open("rb") as opened:
            content = hashlib.file_digest(opened, "sha256").hexdigest()
    elif stat.S_ISLNK(mode):
        content = os.readlink(file)
    elif stat.S_ISCHR(mode) or stat.S_ISBLK(mode):
        content = str(status.st_rdev)
    names = sorted(name for name in os.listxattr(file, follow_symlinks=False) if name not in _OVERLAY_NOTES)
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


def empty(root: Path, patterns: Sequence[str]) -> None:
    """Remove what the glob `patterns` name: what must differ between machines, and traces of this build."""
    for pattern in patterns:
        for path in sorted(root.glob(pattern)):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
