"""Reads and writes files of a system that is mounted somewhere, as that system would.

A link in it leads where it would lead if the system ran: never out of it. Nothing else writes the tree meanwhile.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from .errors import InstallError

if TYPE_CHECKING:
    from pathlib import Path

_MAX_LINKS = 40
"""As path_resolution(7) has it."""


def inside(root: Path, path: str) -> Path:
    """Return where a path of the system leads; its last parts need not be there. Raises InstallError for a loop."""
    parts, done, links = path.split("/")[::-1], [""], 0
    while parts:
        part = parts.pop()
        if part == "..":
            done = done[:-1] or [""]
        elif part not in ("", "."):
            target = root.joinpath(*done, part)
            if not target.is_symlink():
                done.append(part)
                continue
            links += 1
            if links > _MAX_LINKS:
                raise InstallError(f"expected a path without a loop of links in the installed system, found {path}")
            link = os.readlink(target)
            done = [""] if link.startswith("/") else done
            parts += link.split("/")[::-1]
    return root.joinpath(*done)


def read_text(root: Path, path: str) -> str:
    """Return the text of a file, or nothing where there is none; bytes that are no UTF-8 survive."""
    try:
        return inside(root, path).read_text("utf-8", "surrogateescape")
    except FileNotFoundError:
        return ""


def write_text(root: Path, path: str, text: str, *, mode: int = 0o644, owner: tuple[int, int] = (0, 0)) -> None:
    """Write a file: one that is there keeps its mode and owner. It is whole or as it was."""
    target = inside(root, path)
    make_folder(root, os.path.dirname(path))
    try:
        status = target.stat()
        mode, owner = stat.S_IMODE(status.st_mode), (status.st_uid, status.st_gid)
    except FileNotFoundError:
        pass
    aside = target.with_name(f".{target.name}.oic")
    aside.unlink(missing_ok=True)
    fd = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(text)
        file.flush()
        _give(fd, owner)
        os.fchmod(fd, mode)
        os.fsync(fd)
    aside.replace(target)


def make_folder(root: Path, path: str, *, mode: int = 0o755, owner: tuple[int, int] = (0, 0)) -> None:
    """Make a directory, and those above it that are missing; one that is there keeps its mode and owner."""
    target = inside(root, path)
    if target.is_dir():
        return
    target.mkdir(mode=mode, parents=True)
    target.chmod(mode)
    _give(target, owner)


def _give(file: int | Path, owner: tuple[int, int]) -> None:
    if os.geteuid() == 0:  # anybody else owns what they made already, and could not give it away
        os.chown(file, *owner)
