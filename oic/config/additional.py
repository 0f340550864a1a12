"""The additional files of a recipe: where each is on this machine, and what of it goes into the image.

A relative ``local`` is looked for, and the first regular file of these counts:

1. beside the file that names it;
2. beside the recipe, and beside the templates it extends;
3. in the directories above these, as far as the root of the repository they are in (where ``.git`` is), else the home
   directory, else not at all: never in what everybody may write to;
4. beside the distribution's defaults, as it is written there or, as public defaults have it, in ``additionalfiles``.

A file from outside the directory of the file that names it is told of, as a recipe may be somebody else's.
"""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path, PurePosixPath
from stat import S_ISREG
from typing import TYPE_CHECKING

from msgspec.structs import replace

from oic.config.disk import IMG
from oic.config.iso import is_installer
from oic.config.model import AdditionalFile
from oic.files import copy_and_hash, open_regular
from oic.values import Digest, Value

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from oic.config.parts import Part
    from oic.config.source import Node

_EXECUTABLE = 0o100
_OCTAL = r"(?a)0?[0-7]{3,4}"
_KERNELS = ("proc", "sys", "dev")
_MAX_ENTRIES = 20_000
_PUBLIC_FILES = "additionalfiles"


class Places(Value):
    """Where files are looked for: the directories of the recipe and its parents, and the distribution's folder."""

    beside: tuple[Path, ...]
    defaults: Path | None


def places_of(recipe: Path, parts: Sequence[Part], defaults: Path | None) -> Places:
    """Return where the files of a recipe are looked for."""
    parents = [part.tree.file.absolute().parent for part in reversed(parts) if part.is_parent]
    return Places(beside=tuple(dict.fromkeys((recipe.absolute().parent, *parents))), defaults=defaults)


def files_of(tree: Node, places: Places, problems: list[tuple[Node, str]]) -> tuple[AdditionalFile, ...]:
    """Return the additional files with the digests of what is there now, a directory with all that is in it.

    What cannot go into an image is a problem; of what is not there, there is one of no kind.
    """
    found: list[AdditionalFile] = []
    for node in tree.get("systemConfig", "additionalFiles").items:
        found += _entries(node, places, problems)
    return tuple(found)


def file_notes(tree: Node, places: Places) -> Iterator[tuple[Node, str]]:
    """Say which local files are not there, and which were found outside the directory of the file that names them."""
    for node in tree.get("systemConfig", "additionalFiles").items:
        local, path = node.get("local"), find(node.get("local"), places)
        if not local.text:
            continue
        if not path.exists() and is_installer(local.text):
            if tree.get("target", "imageType").text != IMG:
                name = PurePosixPath(local.text).name
                yield local, f"{name} stands for this project's installer, which only an initramfs has"
        elif not path.exists():
            yield local, f"expected a file, found none at {path}; it is left out of the image"
        elif _is_outside(path, local, places):
            yield local, f"{os.path.realpath(path)} goes into the image, from outside the recipe's directory"


def find(local: Node, places: Places) -> Path:
    """Return the first place that has the file; where none has, the place beside the file that names it."""
    named_in = local.file.absolute().parent
    first = named_in / local.text
    return next((path for path in _candidates(local.text, named_in, places) if os.path.lexists(path)), first)


def _candidates(local: str, named_in: Path, places: Places) -> Iterator[Path]:
    beside = dict.fromkeys((named_in, *places.beside))
    for directory in beside:
        yield directory / local
    if Path(local).is_absolute():
        return
    for directory in beside:
        highest = _highest(directory)
        if highest:
            paths = [
                Path(os.path.normpath(above / local)) for above in directory.parents if above.is_relative_to(highest)
            ]
            yield from (path for path in paths if path.is_relative_to(highest))
    if places.defaults:
        yield places.defaults / local
        if PurePosixPath(local).parent.name == _PUBLIC_FILES:
            yield places.defaults / "files" / PurePosixPath(local).name


def _highest(directory: Path) -> Path | None:
    """Return the root of the repository a directory is in, else the home directory it is in, else None."""
    home = Path(os.path.expanduser("~"))
    repository = next((one for one in (directory, *directory.parents) if os.path.lexists(one / ".git")), None)
    if repository or home == Path("/") or not directory.is_relative_to(home):
        return repository if repository != Path("/") else None
    return home


def _is_outside(path: Path, local: Node, places: Places) -> bool:
    own = [local.file.absolute().parent, *([places.defaults] if places.defaults else [])]
    return not any(Path(os.path.realpath(path)).is_relative_to(os.path.realpath(one)) for one in own)


def _entries(node: Node, places: Places, problems: list[tuple[Node, str]]) -> list[AdditionalFile]:
    """Return what one item of the recipe puts into the image."""
    local, mode = node.get("local"), node.get("mode").text
    whole = AdditionalFile(
        local=find(local, places),
        final=node.get("final").text.rstrip("/"),
        kind="",
        mode=int(mode, 8) if re.fullmatch(_OCTAL, mode) else 0,
        owner=node.get("owner").text,
    )
    if not local.text:
        text = node.get("content").text
        digest = Digest(hashlib.sha256(text.encode()).hexdigest())
        return [replace(whole, kind="file", content=text, sha256=digest, mode=whole.mode or 0o644)]
    real = Path(os.path.realpath(whole.local))
    whole = replace(whole, outside=_is_outside(whole.local, local, places))
    try:
        if whole.outside and real.parts[1:2] and real.parts[1] in _KERNELS and not _is_special(real):
            problems.append((local, f"expected a file that is yours, found one of /{real.parts[1]}: {whole.local}"))
            return [whole]
        return list(_below(whole, real, local.file.stat().st_mode))
    except FileNotFoundError:
        return [replace(whole, outside=False)]  # left out, with a note
    except _NotForImages as error:
        problems.append((local, str(error)))
    except OSError as error:
        problems.append((local, f"expected a readable file, found {whole.local}: {error.strerror}"))
    return [whole]


class _NotForImages(Exception):  # noqa: N818 - a reason
    """A device, pipe or socket, or more than an image can want."""


def _is_special(path: Path) -> bool:
    return path.exists() and not path.is_file() and not path.is_dir()


def _below(whole: AdditionalFile, real: Path, recipe_mode: int) -> Iterator[AdditionalFile]:
    """Yield a file, or a directory and all below it in the order of names; links below it stay links."""
    if S_ISREG(real.stat().st_mode):
        yield _file(whole, real, recipe_mode)
        return
    if not real.is_dir():
        raise _NotForImages(f"expected a file or directory, found the device, pipe or socket {whole.local}")
    yield replace(whole, kind="directory", mode=0o755)
    for number, path in enumerate(_walk(real)):
        if number > _MAX_ENTRIES:
            raise _NotForImages(f"expected a directory of at most {_MAX_ENTRIES} files, found more in {whole.local}")
        entry = replace(whole, local=path, final=f"{whole.final}/{path.relative_to(real)}")
        if path.is_symlink():
            yield replace(entry, kind="link", content=os.readlink(path), mode=0o777)
        elif path.is_dir():
            yield replace(entry, kind="directory", mode=0o755)
        elif path.is_file():
            yield _file(entry, path, recipe_mode)
        else:
            raise _NotForImages(f"expected files and directories, found the device, pipe or socket {path}")


def _walk(directory: Path) -> Iterator[Path]:
    for path in sorted(directory.iterdir()):
        yield path
        if path.is_dir() and not path.is_symlink():
            yield from _walk(path)


def _file(entry: AdditionalFile, path: Path, recipe_mode: int) -> AdditionalFile:
    with open_regular(path) as file:
        digest = copy_and_hash(file)
    return replace(entry, kind="file", sha256=digest, mode=entry.mode or _mode(path.stat().st_mode, recipe_mode))


def _mode(local: int, recipe: int) -> int:
    """Return a file's mode in the image when the recipe gives none; no umask may show in it.

    It is 0755 or 0644 by the owner's execute bit, but nothing for a group or others who may read the recipe and not the
    file: under a umask that closes both, both are closed.
    """
    mode = 0o755 if local & _EXECUTABLE else 0o644
    closed = recipe & ~local & 0o044
    return mode & ~(closed | closed >> 2)
