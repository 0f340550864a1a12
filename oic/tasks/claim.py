"""Whose a cache is, and one build at a time in an image's directory, by flock(2).

* A cache is its owner's alone: it holds hashes of passwords, images, and setuid programs of any origin. What is in its
  places has to be the owner's too, and no link: layers are trusted by name for ever.
* Taken before the first stage is looked at, as another build may be changing what it is judged by; never to list or to
  explain; kept until this build ends, however it ends.
* Builds share the cache among each other, and none begins or goes on while what no image names is removed from it.
* The file is opened while tasks are loaded, so that doit's worker processes share one open file and with it the claim.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import stat
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from oic.config.trees import forget
from oic.errors import OicError
from oic.files import write_text
from oic.progress import note, tell

if TYPE_CHECKING:
    from collections.abc import Iterator

FILE = ".claim"
_IN_USE = ".in-use"
_PLACES = ("store", "layers", "validated", "doit.db")
_SIGNS = ("store/sha256", "validated", "doit.db")
_NOTHING = (".gitkeep", "lost+found")
"""What an empty directory has: in a clone of this project, on a file system of its own."""
_FLAGS = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
_open: dict[Path, int] = {}
_held: set[Path] = set()
_shared: dict[Path, int] = {}
"""The caches in use by this process, which keeps its lock to the end."""


def prepare(directory: Path) -> None:
    """Open the claim's file, making the directory; a cache that cannot be written is for `hold` to complain about.

    Raises OicError when the directory is not the user's own.
    """
    _held.discard(directory)
    try:
        _refuse_planted(directory)
        directory.mkdir(parents=True, exist_ok=True)
        _open[directory] = os.open(directory / FILE, _FLAGS, 0o644)
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
    if status.st_mode & 0o022:  # only now: the directory could have been a link that leads to files of the user's
        forget(cache / "validated")


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


def share(cache: Path) -> None:
    """Use what is in the cache, waiting while layers and blobs are removed from it; raises OSError."""
    if cache not in _shared:
        descriptor = os.open(cache / _IN_USE, _FLAGS, 0o644)
        _locked(descriptor, fcntl.LOCK_SH, f"waiting for oic prune to have done with {cache}")
        _shared[cache] = descriptor


@contextlib.contextmanager
def alone(cache: Path) -> Iterator[None]:
    """Have the cache for this process alone, waiting for the builds that use it; raises OSError.

    None of these may be of this run, whose processes keep what they share.
    """
    descriptor = os.open(cache / _IN_USE, _FLAGS, 0o644)
    try:
        _locked(descriptor, fcntl.LOCK_EX, f"waiting for the builds in {cache} to end")
        yield
    finally:
        os.close(descriptor)


def _locked(descriptor: int, how: int, said: str) -> None:
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except BlockingIOError:
        tell(f"  {said}")
        fcntl.flock(descriptor, how)


def hold(directory: Path, recipe: Path) -> None:
    """Claim the directory for this build of `recipe`, waiting for another build's end.

    Raises OicError when it belongs to another recipe of the same name that is still there, or cannot be written to.
    """
    take(directory, recipe)
    note = directory / "recipe"
    with _writing(directory):
        if not note.exists() or note.read_text(encoding="utf-8") != f"{recipe}\n":
            write_text(note, f"{recipe}\n")


@contextlib.contextmanager
def _writing(directory: Path) -> Iterator[None]:
    """Say what is wrong with a cache that cannot be written to, as an OicError."""
    try:
        yield
    except OSError as error:
        found = f"expected a cache that can be written to, found: {error.strerror}"
        raise OicError(found, where=str(directory)) from error


def take(directory: Path, recipe: Path) -> None:
    """Claim the directory as `hold` does, but do not write down whose it is."""
    if directory not in _open:
        prepare(directory)
    if directory not in _open:
        raise OicError("the cache cannot be written to", where=str(directory.parent))
    if directory not in _held:
        share(directory.parent)
        _locked(_open[directory], fcntl.LOCK_EX, f"waiting for {_holder(directory)}")
        _held.add(directory)
        since = datetime.now().astimezone().strftime("%Y-%m-%d %H:%M:%S")
        with _writing(directory):
            os.ftruncate(_open[directory], 0)
            os.pwrite(_open[directory], f"{os.getpid()} {since}\n".encode(), 0)
    refuse_namesake(directory, recipe)


def _holder(directory: Path) -> str:
    """Return who has the claim, as that process has written into its file, and since when."""
    said = re.fullmatch(r"(\d+) ([\d: -]+)\n", (directory / FILE).read_text("ascii", "replace"))
    by = f": process {said[1]} has it since {said[2]}" if said else ""
    return f"another build of {directory.name}{by}"


def refuse_namesake(directory: Path, recipe: Path) -> None:
    """Raise OicError when an image's directory belongs to another recipe of the same name that is still there."""
    note = directory / "recipe"
    before = Path(note.read_text(encoding="utf-8").strip()) if note.exists() else recipe
    # A missing file means that the recipe was deleted, or that the note was truncated.
    if before.is_file() and not before.samefile(recipe):
        message = f"{directory.name} is already the name of {before}, found another recipe of that name"
        raise OicError(message, where=str(recipe), hint="rename one of the two files, or say cache=DIRECTORY")
