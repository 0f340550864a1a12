"""One build at a time in an image's directory, by flock(2).

* Taken before the first stage is looked at, as another build may be changing what it is judged by; never to list or to
  explain; kept until this build ends, however it ends.
* The file is opened while tasks are loaded, so that doit's worker processes share one open file and with it the claim.
"""

from __future__ import annotations

import fcntl
import os
import sys
from pathlib import Path

from oic.errors import OicError
from oic.files import write_text

_open: dict[Path, int] = {}


def prepare(directory: Path) -> None:
    """Open the claim's file, making the directory; a cache that cannot be written is for `hold` to complain about."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        _open[directory] = os.open(directory / ".claim", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError:
        _open.pop(directory, None)


def refuse_strangers(cache: Path) -> None:
    """Raise OicError when the cache is another user's: what one of the two writes there the other could not use."""
    owner = cache.stat().st_uid
    if owner != os.geteuid():
        message = f"the cache belongs to user id {owner}, this is user id {os.geteuid()}"
        hint = "root and users need a cache each: say cache=DIRECTORY, or build as the cache's owner"
        raise OicError(message, where=str(cache), hint=hint)


def hold(directory: Path, recipe: Path) -> None:
    """Claim the directory for this build of `recipe`, waiting for another build's end.

    Raises OicError when it belongs to another recipe of the same name that is still there.
    """
    if directory not in _open:
        prepare(directory)
    if directory not in _open:
        raise OicError("the cache cannot be written to", where=str(directory.parent))
    try:
        fcntl.flock(_open[directory], fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print(f"  waiting for another build of {directory.name}", file=sys.stderr, flush=True)  # noqa: T201
        fcntl.flock(_open[directory], fcntl.LOCK_EX)
    _refuse_namesake(directory, recipe)


def _refuse_namesake(directory: Path, recipe: Path) -> None:
    note = directory / "recipe"
    before = Path(note.read_text(encoding="utf-8").strip()) if note.exists() else recipe
    if before.is_file() and not before.samefile(
        recipe
    ):  # no file, and it is gone, or a power cut left half of its name
        message = f"{directory.name} is already the name of {before}, found another recipe of that name"
        raise OicError(message, where=str(recipe), hint="rename one of the two files, or say cache=DIRECTORY")
    if not note.exists() or before != recipe:
        write_text(note, f"{recipe}\n")
