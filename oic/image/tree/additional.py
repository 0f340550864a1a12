"""Copies additional files, directories and links of the recipe into a tree: opens them outside, writes them inside.

* Each file is read once, and hashed while it is written. If it has changed since the recipe was read, the build fails.
* Only regular files are opened, and at most their size is read, because some files of the kernel have no end.
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

_MAX_ID = (1 << 32) - 2


class PlacedFile(Value):
    """A file to place in the image: `owner` is a user name or id, optionally with a group (``user:group``).

    `kind` is ``file``, ``directory`` or ``link``; `content` is the text of a file that is in the recipe itself, or the
    target of a link.
    """

    final: str
    sha256: Digest
    mode: int
    owner: str
    kind: str = "file"
    content: str | None = None


Opened: TypeAlias = "Sequence[tuple[IO[bytes] | None, Path | None, PlacedFile]]"


@contextlib.contextmanager
def opened(files: Sequence[PlacedFile], sources: Mapping[str, Path]) -> Iterator[Opened]:
    """Yield each file, opened for reading, with its path on this host; raises OicError if one cannot be opened."""
    with contextlib.ExitStack() as stack:
        yield [
            (stack.enter_context(_open(sources[file.final], file)), sources[file.final], file)
            if file.kind == "file" and file.content is None
            else (None, None, file)
            for file in files
        ]


def _open(local: Path, file: PlacedFile) -> IO[bytes]:
    try:
        return open_regular(local)
    except OSError as error:
        found = f"found {error.strerror} (for {file.final})"
        raise OicError(f"additionalFiles: expected a file, {found}", where=str(local)) from None


def write(root: Path, files: Opened) -> None:
    """Write the files into a tree; runs with the tree as its root."""
    for source, local, file in files:
        path = root / file.final.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        is_directory = path.is_dir() and not path.is_symlink()
        if file.kind == "directory":
            _write_directory(root, path, file)
            continue
        if is_directory:
            raise OicError(f"additionalFiles: expected a file's path, found a directory of the image: {file.final}")
        path.unlink(missing_ok=True)
        if file.kind == "link":
            path.symlink_to(file.content or "")
            os.lchown(path, *_ids(root, file))
        else:
            _write_file(root, path, file, source, local)


def _write_directory(root: Path, path: Path, file: PlacedFile) -> None:
    """Make a directory; one that is there keeps its mode, and its owner unless the recipe names one."""
    is_new = not path.exists()
    if not is_new and not path.is_dir():
        raise OicError(f"additionalFiles: expected a directory's path, found a file of the image: {file.final}")
    if is_new:
        path.mkdir()
        path.chmod(file.mode)
    if is_new or file.owner:
        os.chown(path, *_ids(root, file))


def _write_file(root: Path, path: Path, file: PlacedFile, source: IO[bytes] | None, local: Path | None) -> None:
    uid, gid = _ids(root, file)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with open(os.open(path, flags, 0o600), "wb") as target:
        if source is None:
            target.write((file.content or "").encode())
        elif copy_and_hash(source, target) != file.sha256:
            raise OicError(
                "additionalFiles: the file changed while the build ran", where=str(local), hint="build again"
            )
        target.flush()
        os.fchown(target.fileno(), uid, gid)
        os.fchmod(target.fileno(), file.mode)


def _ids(root: Path, file: PlacedFile) -> tuple[int, int]:
    """Return the user id and group id of a file's owner; without a group, that of the user."""
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
    if uid is None or gid is None or max(uid, gid) > _MAX_ID:
        place = f"additionalFiles: {file.final}"
        raise OicError(f"{place}: expected an owner that the image has, found none called {file.owner}")
    return uid, gid


def _database(file: Path) -> dict[str, list[str]]:
    text = file.read_text("utf-8", "surrogateescape") if file.is_file() else ""
    lines = (line.split(":") for line in text.splitlines())
    return {words[0]: words for words in reversed(list(lines))}


def _field(words: list[str] | None, place: int) -> int | None:
    return parse_number(words[place]) if words and len(words) > place else None
