"""Files of packages below the mount point of the ESP, such as shim's or GRUB's, which are copied to the ESP.

Names in FAT are not case-sensitive (FAT specification 1.03, section 7.1). `merge_files` therefore gives each directory
one spelling, and prefers files of the build to files of packages with the same name.
"""

from __future__ import annotations

import shutil
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Content = TypeVar("Content")


def files_below(root: Path, at: str) -> dict[str, bytes]:
    """Return the regular files below the mount point `at`, by their paths below it. Runs with the tree as its root."""
    place = root / at.strip("/")
    if not at or not place.is_dir():
        return {}
    files = (path for path in sorted(place.rglob("*")) if path.is_file() and not path.is_symlink())
    return {str(path.relative_to(place)): path.read_bytes() for path in files}


def write_files(place: Path, files: Mapping[str, Path | bytes]) -> None:
    """Replace the directory `place` by one with exactly these files, or remove it if there are none."""
    temporary = place.with_name(f"{place.name}.part")
    for left in (temporary, place):
        if left.exists():
            shutil.rmtree(left)
    for name, content in files.items():
        (temporary / name).parent.mkdir(parents=True, exist_ok=True)
        (temporary / name).write_bytes(content if isinstance(content, bytes) else content.read_bytes())
    if files:
        temporary.rename(place)


def merge_files(below: Mapping[str, Content], own: Mapping[str, Content]) -> dict[str, Content]:
    """Return `own` and those files of `below` with other names; a directory keeps its first spelling."""
    spelled: dict[str, str] = {}
    joined: dict[str, Content] = {}
    for name, content in (*own.items(), *below.items()):
        path = PurePosixPath()
        for part in PurePosixPath(name).parts:
            path = PurePosixPath(spelled.setdefault(str(path / part).casefold(), str(path / part)))
        joined.setdefault(str(path), content)
    return joined
