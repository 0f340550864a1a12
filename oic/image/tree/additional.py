"""The recipe's additional files put into a tree: opened outside of it, written inside.

* Each is read once: what is hashed are the bytes that are written. A file that changed since the recipe was read fails
  the build, and no layer is named by what it was.
* Opened are regular files alone, and read as far as they were long then: some of the kernel's have no end.
"""

from __future__ import annotations

import contextlib
import os
from typing import IO, TYPE_CHECKING, TypeAlias

from oic.errors import OicError
from oic.files import copy_and_hash, open_regular
from oic.values import Digest, Value, parse_number

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

_MOST_ID = (1 << 32) - 2


class PlacedFile(Value):
    """A file of the recipe as the image is to have it: `owner` is a name or number, with or without a group."""

    final: str
    sha256: Digest
    mode: int
    owner: str


Opened: TypeAlias = "Sequence[tuple[IO[bytes], Path, PlacedFile]]"


@contextlib.contextmanager
def opened(files: Sequence[PlacedFile], sources: Mapping[str, Path]) -> Iterator[Opened]:
    """Yield each file, open to read, and where it is on this host; raises OicError when one cannot be."""
    with contextlib.ExitStack() as stack:
        yield [(stack.enter_context(_opened(sources[file.final], file)), sources[file.final], file) for file in files]


def _opened(local: Path, file: PlacedFile) -> IO[bytes]:
    try:
        return open_regular(local)
    except OSError as error:
        found = f"found {error.strerror} (for {file.final})"
        raise OicError(f"additionalFiles: expected a file, {found}", where=str(local)) from None


def write(root: Path, files: Opened) -> None:
    """Write the files into a tree; runs with the tree as its root."""
    for source, local, file in files:
        final = file.final
        path = root / final.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir() and not path.is_symlink():
            raise OicError(f"additionalFiles: expected a file's path, found a directory of the image: {final}")
        path.unlink(missing_ok=True)
        uid, gid = _ids(root, file)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with open(os.open(path, flags, 0o600), "wb") as target:
            if copy_and_hash(source, target) != file.sha256:
                raise OicError(
                    "additionalFiles: the file changed while the build ran", where=str(local), hint="build again"
                )
            target.flush()
            os.fchown(target.fileno(), uid, gid)
            os.fchmod(target.fileno(), file.mode)


def _ids(root: Path, file: PlacedFile) -> tuple[int, int]:
    """Return the ids of a file's owner; a user alone brings his own group."""
    user, colon, group = file.owner.partition(":")
    if not user:
        return 0, 0
    people, groups = _database(root / "etc/passwd"), _database(root / "etc/group")
    uid = parse_number(user) if user.isdecimal() else _field(people.get(user), 2)
    if colon:
        gid = parse_number(group) if group.isdecimal() else _field(groups.get(group), 2)
    else:
        own = people.get(user) or next((line for line in people.values() if _field(line, 2) == uid), None)
        gid = _field(own, 3)
    if uid is None or gid is None or max(uid, gid) > _MOST_ID:
        place = f"additionalFiles: {file.final}"
        raise OicError(f"{place}: expected an owner that the image has, found none called {file.owner}")
    return uid, gid


def _database(file: Path) -> dict[str, list[str]]:
    text = file.read_text("utf-8", "surrogateescape") if file.is_file() else ""
    lines = (line.split(":") for line in text.splitlines())
    return {words[0]: words for words in reversed(list(lines))}


def _field(words: list[str] | None, place: int) -> int | None:
    return parse_number(words[place]) if words and len(words) > place else None
