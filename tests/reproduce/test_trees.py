"""Two trees compared from inside a namespace, as two builds of a layer are."""

from __future__ import annotations

import os
import shutil
import uuid
from typing import TYPE_CHECKING

from oic.chroot import namespace
from oic.reproduce.content import Span
from oic.reproduce.trees import changes_between

if TYPE_CHECKING:
    from pathlib import Path

SPANS = (Span(start=1000, end=1001), Span(start=90_000, end=90_001))


def changes(first: Path, second: Path) -> dict[str, tuple[str, ...]]:
    return {one.path: one.what for one in namespace.call(changes_between, first, second, SPANS)}


def trees(place: Path) -> tuple[Path, Path]:
    first, second = place / "first", place / "second"
    (first / "etc").mkdir(parents=True)
    for name in ("same", "id", "mode", "gone", "linked", "kind"):
        (first / "etc" / name).write_text("text\n")
    (first / "etc/link").symlink_to("same")
    (first / "etc/out").symlink_to("/etc/passwd")
    for path in (*first.rglob("*"), first):
        os.utime(path, (1000, 1000), follow_symlinks=False)
    shutil.copytree(first, second, symlinks=True)
    return first, second


def test_equal_trees_have_no_differences(tmp_path: Path) -> None:
    assert changes(*trees(tmp_path)) == {}


def test_everything_that_differs_is_named_and_nothing_else(tmp_path: Path) -> None:
    first, second = trees(tmp_path)
    for tree in (first, second):
        (tree / "etc/id").write_text(f"{uuid.uuid4()}\n")
        os.utime(tree / "etc/id", (1000, 1000))
    (second / "etc/mode").chmod(0o600)
    (second / "etc/gone").unlink()
    os.link(second / "etc/linked", second / "etc/more")
    (second / "etc/kind").unlink()
    (second / "etc/kind").mkdir()
    (second / "etc/link").unlink()
    (second / "etc/link").symlink_to("id")
    for name in ("kind", "link", "."):
        os.utime(second / "etc" / name, (1000, 1000), follow_symlinks=False)
    os.setxattr(second / "etc/same", "user.note", b"x")
    assert changes(first, second) == {
        "/etc/gone": ("only in the first build",),
        "/etc/id": ("a UUID",),
        "/etc/kind": ("another kind of file", "mode 644 and 755", "1 and 0 names"),
        "/etc/link": ("a link to same and to id",),
        "/etc/linked": ("1 and 2 names",),
        "/etc/mode": ("mode 644 and 600",),
        "/etc/more": ("only in the second build",),
        "/etc/same": ("extended attributes",),
    }


def test_a_link_out_of_the_tree_is_not_followed_and_a_pipe_not_waited_for(tmp_path: Path) -> None:
    first, second = trees(tmp_path)
    for tree, target in ((first, "/etc/passwd"), (second, "/etc/shadow")):
        (tree / "etc/out").unlink()
        (tree / "etc/out").symlink_to(target)
        os.mkfifo(tree / "etc/pipe", 0o600 if tree is first else 0o644)
        for name in ("out", "pipe", "."):
            os.utime(tree / "etc" / name, (1000, 1000), follow_symlinks=False)
    assert changes(first, second) == {
        "/etc/out": ("a link to /etc/passwd and to /etc/shadow",),
        "/etc/pipe": ("mode 600 and 644",),
    }
