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

import os
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from stat import S_ISDIR, S_ISREG
from typing import TYPE_CHECKING

from oic.config.model import AdditionalFile
from oic.files import copy_and_hash, open_regular

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from oic.config.parts import Part
    from oic.config.source import Node

_EXECUTABLE = 0o100
_OCTAL = re.compile(r"0?[0-7]{3,4}", re.ASCII)
_KERNELS = ("proc", "sys", "dev")
_PUBLIC_FILES = "additionalfiles"
_INSTALLERS = frozenset({"attendedinstaller", "unattendedinstaller", "live-installer"})
"""Programs of the public tool that its recipes of an initramfs name; here they stand for this project's installer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where files are looked for: the directories of the recipe and its parents, and the distribution's folder."""

    beside: tuple[Path, ...]
    defaults: Path | None


def places_of(recipe: Path, parts: Sequence[Part], defaults: Path | None) -> Places:
    """Return where the files of a recipe are looked for."""
    parents = [part.tree.file.absolute().parent for part in reversed(parts) if part.is_parent]
    return Places(beside=tuple(dict.fromkeys((recipe.absolute().parent, *parents))), defaults=defaults)


def files_of(tree: Node, places: Places, problems: list[tuple[Node, str]]) -> tuple[AdditionalFile, ...]:
    """Return the additional files with the digests of what is there now; what cannot be a file is a problem."""
    return tuple(_file(node, places, problems) for node in _file_nodes(tree))


def file_notes(tree: Node, files: Sequence[AdditionalFile]) -> Iterator[tuple[Node, str]]:
    """Say which local files are not there, and which were found outside the directory of the file that names them."""
    for node, file in zip(_file_nodes(tree), files, strict=True):
        local = node.get("local")
        if file.sha256 is None and _is_installer(local.text):
            yield local, f"{PurePosixPath(local.text).name} stands for this project's installer, which is not built yet"
        elif file.sha256 is None:
            yield local, f"expected a file, found none at {file.local}; it is left out of the image"
        elif file.outside:
            yield local, f"{os.path.realpath(file.local)} goes into the image, from outside the recipe's directory"


def _file_nodes(tree: Node) -> list[Node]:
    return tree.get("systemConfig", "additionalFiles").items


def _is_installer(local: str) -> bool:
    return PurePosixPath(local).name in _INSTALLERS


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


def _file(node: Node, places: Places, problems: list[tuple[Node, str]]) -> AdditionalFile:
    """Read one file, its bytes once."""
    local = node.get("local")
    path = find(local, places)
    real = Path(os.path.realpath(path))
    own = [local.file.absolute().parent, *([places.defaults] if places.defaults else [])]
    outside = not any(real.is_relative_to(os.path.realpath(one)) for one in own)
    digest, mode = None, 0o644
    try:
        status = path.stat()
        if outside and S_ISREG(status.st_mode) and real.parts[1] in _KERNELS:
            problems.append((local, f"expected a file that is yours, found one of /{real.parts[1]}: {path}"))
        elif S_ISREG(status.st_mode):
            with open_regular(path) as file:
                digest = copy_and_hash(file)
            mode = _mode(status.st_mode, local.file.stat().st_mode)
        elif local.text:
            found = "the directory" if S_ISDIR(status.st_mode) else "the device, pipe or socket"
            problems.append((local, f"expected a file, found {found} {path}"))
    except FileNotFoundError:
        pass  # left out, with a note
    except OSError as error:
        problems.append((local, f"expected a readable file, found {path}: {error.strerror}"))
    return AdditionalFile(
        local=path,
        final=node.get("final").text,
        sha256=digest,
        mode=int(node.get("mode").text, 8) if _OCTAL.fullmatch(node.get("mode").text) else mode,
        owner=node.get("owner").text,
        outside=outside and digest is not None,
    )


def _mode(local: int, recipe: int) -> int:
    """Return a file's mode in the image when the recipe gives none; no umask may show in it.

    It is 0755 or 0644 by the owner's execute bit, but nothing for a group or others who may read the recipe and not the
    file: under a umask that closes both, both are closed.
    """
    mode = 0o755 if local & _EXECUTABLE else 0o644
    closed = recipe & ~local & 0o044
    return mode & ~(closed | closed >> 2)
