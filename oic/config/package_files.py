"""The package files of a recipe's repositories, ``packageRepositories[].packages``: what is there now, by digest.

* An entry is an https URL, or a path: absolute, or relative to the file that names it. It is a package file, an archive
  of them, or a directory, of which the package files count, but not those of directories below it.
* With a ``sha256`` the file must have it, wherever it comes from.
* A file that is not there is none of the recipe's mistakes, as it may be there on another machine: a build refuses it.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from stat import S_ISDIR, S_ISREG
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from msgspec import field
from msgspec.structs import replace

from oic.config.notes import is_left_out
from oic.config.repository import ARCHIVES, PackageFile
from oic.config.urls import url_problem
from oic.errors import RecipeError
from oic.files import copy_and_hash, open_regular
from oic.values import Value

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from oic.config.source import Node

    Said = list[tuple[Node, str]]

_FAMILIES = (".deb", ".rpm")
_MAX_FILES = 20_000


class FilesOfRecipe(Value):
    """The files by the place of their repository in ``packageRepositories``; `missing` are those that are not there."""

    by_place: Mapping[int, tuple[PackageFile, ...]] = field(default_factory=dict)
    missing: tuple[tuple[Node, str], ...] = ()


def package_files(tree: Node, family: str, problems: Said) -> FilesOfRecipe:
    """Return the package files of a merged recipe; what no repository can be made of is a problem."""
    found: dict[int, tuple[PackageFile, ...]] = {}
    missing: Said = []
    for number, entry in enumerate(tree.get("packageRepositories").items if family else ()):
        if not is_left_out(entry):
            items = [file for node in entry.get("packages").items for file in _files(node, family, problems, missing)]
            found[number] = tuple(items)
    return FilesOfRecipe(by_place=found, missing=tuple(missing))


def _files(node: Node, family: str, problems: Said, missing: Said) -> tuple[PackageFile, ...]:
    named = node.get("url") if node.entries else node
    whole = PackageFile(name=named.text, sha256=node.get("sha256").text.lower(), vouched=bool(node.get("sha256").text))
    try:
        if "://" in named.text:
            if url_problem(named.text):
                return ()  # the checks of the recipe say so
            _check_ending(unquote(urlsplit(named.text).path), family)
            return (replace(whole, url=named.text),)
        if named.text:
            return tuple(_local(whole, node.file.absolute().parent / named.text, family))
    except FileNotFoundError as error:
        missing.append((named, f"expected a package file, an archive or a directory, found none at {error.filename}"))
    except OSError as error:
        problems.append((named, f"expected a readable file or directory: {error.strerror}: {error.filename}"))
    except RecipeError as error:
        problems.append((named, str(error)))
    return ()


def _local(whole: PackageFile, path: Path, family: str) -> Iterator[PackageFile]:
    mode = path.stat().st_mode
    if S_ISREG(mode):
        _check_ending(path.name, family)
        yield _with_digest(whole, path)
    elif not S_ISDIR(mode):
        raise RecipeError(f"expected a package file, an archive or a directory, found a pipe or device: {path}")
    elif whole.vouched:
        raise RecipeError(f"expected a file, as a directory has no sha256, found the directory {path}")
    else:
        yield from _in_directory(whole, path, family)


def _in_directory(whole: PackageFile, directory: Path, family: str) -> Iterator[PackageFile]:
    paths = sorted(directory.iterdir())
    endings = Counter(path.suffix for path in paths if path.suffix in _FAMILIES)
    if not endings[f".{family}"]:
        found = ", ".join(f"{count} {ending}" for ending, count in endings.items()) or "none"
        raise RecipeError(f"expected .{family} files in {directory}, found {found}")
    if endings[f".{family}"] > _MAX_FILES:
        raise RecipeError(f"expected at most {_MAX_FILES} package files in {directory}, found more")
    for path in paths:
        if path.suffix != f".{family}":
            continue
        if path.is_symlink() and not path.resolve().is_relative_to(directory.resolve()):
            raise RecipeError(f"expected package files, found a link that leads out of the directory: {path}")
        if not S_ISREG(path.stat().st_mode):
            raise RecipeError(f"expected package files, found a directory, pipe or device: {path}")
        yield _with_digest(replace(whole, name=f"{whole.name.rstrip('/')}/{path.name}", optional=True), path)


def _with_digest(whole: PackageFile, path: Path) -> PackageFile:
    with open_regular(path) as file:
        digest = copy_and_hash(file)
    if whole.vouched and digest != whole.sha256:
        raise RecipeError(f"expected a file of sha256 {whole.sha256}, found {digest}: {path}")
    return replace(whole, path=os.fspath(path), sha256=digest)


def _check_ending(name: str, family: str) -> None:
    if name.endswith((f".{family}", *ARCHIVES)):
        return
    ending = re.search(r"\.\w{1,8}$", name)
    known = ", ".join((f".{family}", *ARCHIVES))
    raise RecipeError(f"expected a name that ends in one of {known}, found {ending[0] if ending else name[-60:]!r}")
