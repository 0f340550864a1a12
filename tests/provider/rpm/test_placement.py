"""Wherever links lead: each file is found under the name its package has for it, or the set is refused."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import event, example, given, settings
from hypothesis import strategies as st

from oic.chroot import namespace
from oic.errors import TrustError
from oic.process import child
from oic.provider.rpm.unpack import unpack

from .made import locked, needs_rpm
from .surgery import package

if TYPE_CHECKING:
    from collections.abc import Sequence

    from oic.ospackage.lock import LockedPackage

DIRECTORY, LINK, FILE = 0o040755, 0o120777, 0o100644
NAMES = st.sampled_from(["a", "b", "c", "lib"])
PATHS = st.lists(NAMES, min_size=1, max_size=4).map(lambda names: "/" + "/".join(names))
TARGETS = st.one_of(
    PATHS,
    st.lists(st.sampled_from(["a", "b", "c", "..", "."]), min_size=1, max_size=4).map("/".join),
    st.sampled_from(["/", "/usr/lib", "../../../..", "a/../b/", "//a"]),
)
ENTRIES = st.one_of(
    PATHS.map(lambda path: (path, path.encode(), FILE)),
    st.tuples(PATHS, TARGETS.map(str.encode), st.just(LINK)),
    PATHS.map(lambda path: (path, b"", DIRECTORY)),
)
SETS = st.lists(st.lists(ENTRIES, max_size=5, unique_by=lambda entry: entry[0]), min_size=1, max_size=3)
Entry = tuple[str, bytes, int]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    needs_rpm()
    return tmp_path_factory.mktemp("placement")


def _unpacked(members: Sequence[tuple[LockedPackage, Path]], root: Path, paths: Sequence[Entry]) -> list[object]:
    """Unpack, then say what is found under each path, with the tree as root."""
    try:
        unpack(members, root, jobs=1)
        return child.inside(root, _found, paths)
    finally:
        shutil.rmtree(root)
        root.mkdir()


def _found(_root: Path, paths: Sequence[Entry]) -> list[object]:
    found: list[object] = []
    for path, _, mode in paths:
        if mode == LINK:
            found.append(os.readlink(path).encode())
        else:
            found.append(Path(path).read_bytes() if mode == FILE else b"" if Path(path).is_dir() else None)
    return found


@given(packages=SETS)
@settings(max_examples=80, deadline=None)
@example(packages=[[("/a", b"b", LINK), ("/b", b"c", LINK), ("/c", b"", DIRECTORY), ("/a/a", b"/a/a", FILE)]])
@example(packages=[[("/a/b", b"/c", LINK)], [("/a", b"b", LINK), ("/a/b/c", b"/a/b/c", FILE)]])
@example(packages=[[("/lib/a", b"/lib/a", FILE), ("/lib", b"a/../b/", LINK)]])
@example(packages=[[("/lib", b"lib/a", LINK), ("/lib/a", b"/lib/a", FILE)]])
def test_each_file_is_found_by_its_own_name(place: Path, packages: list[list[Entry]]) -> None:
    root = place / "root"
    root.mkdir(exist_ok=True)
    members = []
    for number, entries in enumerate(packages):
        file = place / f"{number}.rpm"
        file.write_bytes(package(*entries, name=f"p{number}").bytes())
        members.append((_locked(file), file))
    wanted = [entry for entries in packages for entry in entries]
    try:
        found = namespace.call(_unpacked, members, root, wanted, writes=[place])
    except TrustError as error:
        event(str(error).partition("expected ")[2][:11])
        return
    event("unpacked")
    assert found == [content for _, content, _ in wanted]
    assert sorted(path.name for path in place.iterdir() if path.is_dir()) == ["root"]


_LOCKED: dict[str, LockedPackage] = {}


def _locked(file: Path) -> LockedPackage:
    """Return a package's entry, asking rpm only once for each name."""
    if file.name not in _LOCKED:
        _LOCKED[file.name] = locked(file)
    return _LOCKED[file.name]
