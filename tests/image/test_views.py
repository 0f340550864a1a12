"""What of a tree goes on which partition, where the tree has links: out of it, to it, around in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from oic.chroot import namespace
from oic.errors import OicError
from oic.image.tree import views
from oic.process import child

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Make a tree with files at three places; `outside` of it lies a directory of the host."""
    root = tmp_path / "root"
    for name in ("etc/one", "var/lib/two", "var/srv/data/three"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/secret").write_text("of the host")
    return root


def content(root: Path, mount_points: Sequence[str]) -> dict[str, list[str]]:
    """Return the files of each partition, by its mount point."""

    def inside() -> dict[str, list[str]]:
        found = child.inside(root, views.places, mount_points)
        shown: dict[str, list[str]] = {}
        for at in mount_points:
            with views.mounted_view(root, found[at], sorted(found.values()), root.with_name("view")) as view:
                shown[at] = sorted(str(path.relative_to(view)) for path in view.rglob("*") if path.is_file())
        return shown

    return namespace.call(inside, writes=[root.parent])


def test_each_file_is_on_the_partition_that_is_mounted_above_it(tree: Path) -> None:
    found = content(tree, ["/", "/var", "/var/srv/data"])
    assert found == {"/": ["etc/one"], "/var": ["lib/two"], "/var/srv/data": ["three"]}


def test_a_mount_point_by_way_of_a_link_is_the_place_that_the_link_leads_to(tree: Path) -> None:
    (tree / "srv").symlink_to("var/srv")
    found = content(tree, ["/", "/srv/data", "/var"])
    assert found == {"/": ["etc/one"], "/var": ["lib/two"], "/srv/data": ["three"]}


def test_a_link_that_leads_out_of_the_tree_is_one_within_it(tree: Path, tmp_path: Path) -> None:
    (tree / "link").symlink_to(tmp_path / "outside")
    found = content(tree, ["/link/new", "/"])
    assert found == {"/link/new": [], "/": ["etc/one", "var/lib/two", "var/srv/data/three"]}
    assert [path.name for path in (tmp_path / "outside").iterdir()] == ["secret"]
    assert (tree / str(tmp_path)[1:] / "outside/new").is_dir()


@pytest.mark.parametrize(
    ("links", "at", "said"),
    [
        ({"opt": "var/lib"}, "/opt", "found a symbolic link"),
        ({"opt": "loop", "loop": "opt"}, "/opt/below", "expected a directory in the tree"),
        ({}, "/etc/one", "expected a directory in the tree"),
        ({}, "/etc/one/below", "expected a directory in the tree"),
        ({"srv": "var"}, "/srv/lib", "it the same as /var/lib"),
    ],
)
def test_what_cannot_be_mounted_on_is_refused(tree: Path, links: dict[str, str], at: str, said: str) -> None:
    for name, target in links.items():
        (tree / name).symlink_to(target)
    with pytest.raises(OicError, match=said):
        content(tree, ["/", "/var/lib", at])
