"""Whether a stage's artefacts are there, as they were written.

A file counts as it was written while it has the size, time of modification and inode that were recorded when its
content was last known. Where these differ, as in a cache that was copied, the file is hashed once: if it has the digest
of its hand-over, it is recorded again, else the stage makes it anew.
"""

from __future__ import annotations

import contextlib
import hashlib
from typing import TYPE_CHECKING, Any

import msgspec

from oic.chroot import layers
from oic.errors import OicError
from oic.files import digest_of_sparse, open_regular, write_json
from oic.progress import tell
from oic.values import Digest, Value

if TYPE_CHECKING:
    from pathlib import Path

    from oic.handover.codec import NamedFile
    from oic.stage import Stage


_LARGE = 256 << 20
"""From this size on, in bytes, hashing a file takes so long that it is said."""


class Seen(Value):
    """How a file looked when it had the content of this digest."""

    digest: Digest
    size: int
    mtime: int
    inode: int


def lost_artefact(stage: Stage[Any]) -> str:
    """Return what is wrong with the first of the stage's artefacts that is not as it was written; empty for none.

    Raises ValueError for a damaged hand-over.
    """
    for path in stage.outputs:
        if not path.exists():
            return f"{path} is gone"
    seen = _read(stage)
    now: dict[str, Seen] = {}
    for handover in stage.naming():
        for entry in handover.artefacts():
            if not _is_there(stage.cache / entry):
                return f"{stage.cache / entry} is gone"
        for file in handover.files():
            mark = now[file.path] = _seen(stage.cache, file)
            if seen.get(file.path) != mark and not _is_as_written(stage.cache, file):
                return f"{stage.cache / file.path} is not as it was written"
    if now != seen:
        _write(stage, now)
    return ""


def remember(stage: Stage[Any]) -> None:
    """Record how the artefacts look that the stage has just written."""
    files = [file for handover in stage.naming() for file in handover.files()]
    if files:
        _write(stage, {file.path: _seen(stage.cache, file) for file in files})


def _is_there(artefact: Path) -> bool:
    return layers.is_there(artefact) if artefact.parent.name == "layers" else artefact.exists()


def _seen(cache: Path, file: NamedFile) -> Seen:
    status = (cache / file.path).stat()
    return Seen(digest=file.recorded, size=status.st_size, mtime=status.st_mtime_ns, inode=status.st_ino)


def _is_as_written(cache: Path, file: NamedFile) -> bool:
    path = cache / file.path
    try:
        if path.stat().st_size > _LARGE:
            tell(f"  {path}: not as recorded, its content is checked")
        if file.sparse:
            return digest_of_sparse(path) == file.recorded
        with open_regular(path) as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest() == file.recorded
    except (OicError, OSError):  # it is another kind of file, or cannot be read
        return False


def _read(stage: Stage[Any]) -> dict[str, Seen]:
    try:
        return msgspec.json.decode(stage.seen_file.read_bytes(), type=dict[str, Seen])
    except (FileNotFoundError, ValueError):
        return {}


def _write(stage: Stage[Any], seen: dict[str, Seen]) -> None:
    with contextlib.suppress(OSError):  # what cannot be recorded is hashed again
        write_json(stage.seen_file, seen)
