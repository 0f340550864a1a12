"""What the tree has below the ESP's mount point, shim's or GRUB's files say: it belongs on the ESP.

FAT knows names without regard to case (FAT specification 1.03, section 7.1): `together` joins two lists of files so
that one directory keeps one spelling, and what the build itself puts there comes before a package's file of that name.
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


def write_files(place: Path, files: Mapping[str, bytes]) -> None:
    """Make the directory `place` one of exactly these files; with none, there is none."""
    temporary = place.with_name(f"{place.name}.part")
    for left in (temporary, place):
        if left.exists():
            shutil.rmtree(left)
    for name, content in files.items():
        (temporary / name).parent.mkdir(parents=True, exist_ok=True)
        (temporary / name).write_bytes(content)
    if files:
        temporary.rename(place)


def together(below: Mapping[str, Content], own: Mapping[str, Content]) -> dict[str, Content]:
    """Return `own` and what of `below` has a name of its own, directories spelled as they were first."""
    spelled: dict[str, str] = {}
    joined: dict[str, Content] = {}
    for name, content in (*own.items(), *below.items()):
        path = PurePosixPath()
        for part in PurePosixPath(name).parts:
            path = PurePosixPath(spelled.setdefault(str(path / part).casefold(), str(path / part)))
        joined.setdefault(str(path), content)
    return joined
