"""A tree as a tar: what is in the tree, and nothing of when or how it was read."""

from __future__ import annotations

import os
import tarfile
from typing import TYPE_CHECKING

from oic.image.tarball import make_tar

from .host import HostTools

if TYPE_CHECKING:
    from pathlib import Path

EPOCH = 1_700_000_000


def tree(place: Path) -> Path:
    (place / "etc").mkdir(parents=True)
    for name in ("b", "a"):
        (place / "etc" / name).write_text(name)
        os.utime(place / "etc" / name, (1, EPOCH - 5))
    os.link(place / "etc/a", place / "etc/again")
    (place / "etc/link").symlink_to("a")
    (place / "etc/a").chmod(0o4755)
    os.setxattr(place / "etc/b", "user.oic", b"1")
    return place


def test_two_equal_trees_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        make_tar(tree(tmp_path / name), tmp_path / f"{name}.tar", EPOCH, HostTools())
    assert (tmp_path / "one.tar").read_bytes() == (tmp_path / "two.tar").read_bytes()


def test_the_archive_has_all_of_the_tree(tmp_path: Path) -> None:
    make_tar(tree(tmp_path / "one"), tmp_path / "one.tar", EPOCH, HostTools())
    with tarfile.open(tmp_path / "one.tar") as archive:
        members = {member.name: member for member in archive}
    assert list(members) == [".", "./etc", "./etc/a", "./etc/again", "./etc/b", "./etc/link"]
    assert members["./etc/a"].mode == 0o4755
    assert members["./etc/again"].islnk()
    assert members["./etc/b"].pax_headers["SCHILY.xattr.user.oic"] == "1"
    assert (members["./etc/a"].mtime, members["."].mtime) == (EPOCH - 5, EPOCH)
    assert {member.uid for member in members.values()} == {os.getuid()}
