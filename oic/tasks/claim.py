"""Whose a cache is, and one build at a time in an image's directory, by flock(2).

* A cache is its owner's alone: it holds hashes of passwords, images, and setuid programs of any origin. What is in its
  places has to be the owner's too, and no link: layers are trusted by name for ever.
* Taken before the first stage is looked at, as another build may be changing what it is judged by; never to list or to
  explain; kept until this build ends, however it ends.
* The file is opened while tasks are loaded, so that doit's worker processes share one open file and with it the claim.
"""

from __future__ import annotations

import fcntl
import os
import stat
from pathlib import Path

from oic.errors import OicError
from oic.files import write_text
from oic.progress import note, tell

_PLACES = ("store", "layers", "validated", "doit.db")
_SIGNS = ("store/sha256", "validated", "doit.db")
_NOTHING = (".gitkeep", "lost+found")
"""What an empty directory has: in a clone of this project, on a file system of its own."""
_open: dict[Path, int] = {}


def prepare(directory: Path) -> None:
    """Open the claim's file, making the directory; a cache that cannot be written is for `hold` to complain about.

    Raises OicError when the directory is not the user's own.
    """
    try:
        _refuse_planted(directory)
        directory.mkdir(parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        _open[directory] = os.open(directory / ".claim", flags, 0o644)
    except OSError:
        _open.pop(directory, None)


def enter(cache: Path) -> None:
    """Make the cache, for its owner alone, or see that it is so; raises OicError, OSError when it cannot be made."""
    cache.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = cache.stat()
    owner = status.st_uid
    if owner != os.geteuid():  # what one of the two writes there the other could not use
        message = f"the cache belongs to user id {owner}, this is user id {os.geteuid()}"
        hint = "root and users need a cache each: say cache=DIRECTORY, or build as the cache's owner"
        raise OicError(message, where=str(cache), hint=hint)
    if status.st_mode & 0o077:
        _close(cache, status.st_mode)
    for name in _PLACES:
        _refuse_planted(cache / name)


def _close(cache: Path, mode: int) -> None:
    """Take a cache from other users; never a directory that is more than a cache."""
    empty = not any(entry.name not in _NOTHING for entry in cache.iterdir())
    if mode & stat.S_ISVTX or not (empty or any((cache / name).exists() for name in _SIGNS)):
        message = "expected a directory for the cache alone, found one with other things in it that others may enter"
        shared = "" if mode & stat.S_ISVTX else ", or chmod 700 this one if nobody else needs it"
        hint = f"say cache=DIRECTORY for a new one{shared}"
        raise OicError(message, where=str(cache), hint=hint)
    cache.chmod(0o700)
    if not empty:
        hint = "; they could write to it: doit verify-cache looks at what is in it" if mode & 0o022 else ""
        note(f"{cache} was open to other users (mode {stat.S_IMODE(mode):o}), it is closed now (700){hint}")


def _refuse_planted(path: Path) -> None:
    """Raise OicError when a place of the cache is a link, another user's, or anybody's."""
    try:
        status = path.lstat()
    except FileNotFoundError:
        return
    if stat.S_ISLNK(status.st_mode):
        found = "a link"
    elif status.st_uid != os.geteuid():
        found = f"one of user id {status.st_uid}"
    elif status.st_mode & stat.S_IWOTH:
        found = "one that everybody may write to"
    else:
        return
    hint = "others may have put there what they want built: delete it, or say cache=DIRECTORY"
    raise OicError(f"expected a place of the cache that is your own, found {found}", where=str(path), hint=hint)


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
        tell(f"  waiting for another build of {directory.name}")
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
