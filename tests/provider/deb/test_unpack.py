"""Unpacking into a root: what gets there, and that nothing gets anywhere else."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from oic.chroot import namespace
from oic.errors import TrustError
from oic.provider.deb.unpack import Unpacked, unpack_all

from .hostile import deb, entry, tar
from .small_root import Small
from .tree_oracle import entries

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

CHARACTER, BLOCK, HARD, SOFT, DIRECTORY, CONTIGUOUS = b"3", b"4", b"1", b"2", b"5", b"7"


def _unpacked(place: Path, *packages: bytes, jobs: int = 1) -> list[Unpacked]:
    root = place / "root"
    root.mkdir()
    files = []
    for number, data in enumerate(packages):
        file = place / f"{number}.deb"
        file.write_bytes(data)
        files.append((str(number), file))
    return namespace.call(_unpack, files, root, jobs, writes=[place])


def _unpack(files: Sequence[tuple[str, Path]], root: Path, jobs: int) -> list[Unpacked]:
    return unpack_all(files, root, jobs=jobs)


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (entry("../outside", b"x"), "expected a path below the root, found '../outside'"),
        (entry("./a/../../outside", b"x"), "expected a path below the root"),
        (entry("/outside", b"x"), "expected a path below the root, found '/outside'"),
        (entry("./two\nlines", b"x"), "expected a path of one line"),
        (entry("./dev/sda", type=BLOCK, devmajor=8), "found a device node"),
        (entry("./dev/mem", type=CHARACTER, devmajor=1, devminor=1), "found a device node"),
        (entry("./a", type=HARD, linkname="./nowhere"), "/a cannot be unpacked: No such file or directory"),
        (entry("./" + "n" * 300, b"x"), "cannot be unpacked: File name too long"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_content_that_no_package_may_have_is_refused(bad: Any, words: str, tmp_path: Path) -> None:
    with pytest.raises(TrustError) as raised:
        _unpacked(tmp_path, deb(tar(entry("./usr/ok", b"x"), bad)))
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)
    assert not (tmp_path / "outside").exists()


@pytest.mark.parametrize("target", ["/", "../../../../.."])
def test_a_link_out_of_the_root_leads_back_into_it(target: str, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    way = entry("./way", type=SOFT, linkname=target)
    _unpacked(tmp_path, deb(tar(way, entry(f"./way{outside}", b"caught"))))
    assert not outside.exists()
    assert (tmp_path / f"root{outside}").read_bytes() == b"caught"


@pytest.mark.parametrize("target", ["loop", "/proc/1/root", "/nowhere"])
def test_a_path_through_a_dangling_link_is_refused(target: str, tmp_path: Path) -> None:
    link = entry("./loop", type=SOFT, linkname=target)
    unpacked = _unpacked(tmp_path, deb(tar(link, entry("./loop/file", b"x"), entry("./after", b"x"))))
    assert unpacked[0].clashes == ("/loop/file",)
    assert (tmp_path / "root/after").read_bytes() == b"x"


def test_a_hard_link_reaches_nothing_outside(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    link = entry("./stolen", type=HARD, linkname=f"../../../..{tmp_path}/secret")
    with pytest.raises(TrustError, match="No such file"):
        _unpacked(tmp_path, deb(tar(link)))


def _extracted(tree: Path, file: Path) -> dict[str, Any]:
    """Return what dpkg-deb itself takes out of a package."""
    tree.mkdir()
    subprocess.run(["dpkg-deb", "--extract", str(file), str(tree)], check=True)
    return _described(tree)


def _described(tree: Path) -> dict[str, Any]:
    return {path: values for path, values in entries(tree, 1 << 40).items() if path != "."}


def _modes(source: Path) -> None:
    for number, mode in enumerate((0o4755, 0o2755, 0o6755, 0o600, 0o000, 0o444, 0o1644)):
        (source / "usr/lib" / f"{number}").write_text(str(number))
        (source / "usr/lib" / f"{number}").chmod(mode)
    (source / "usr/lib/open").mkdir()
    (source / "usr/lib/open").chmod(0o1777)
    (source / "usr/lib/-dash and space").symlink_to("/absolute/é")


def _both(place: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    _, file = Small(name="a", files={"/usr/lib/file": "x" * 3_000_000}, shape=_modes).make(place)
    (place / "root").mkdir()
    unpack_all([("a", file)], place / "root")
    return _described(place / "root"), _extracted(place / "theirs", file)


def test_unpacks_the_files_that_dpkg_deb_extracts(tmp_path: Path) -> None:
    ours, theirs = namespace.call(_both, tmp_path, writes=[tmp_path])
    assert ours == theirs


def test_a_path_belongs_to_the_first_package_and_the_second_is_a_clash(tmp_path: Path) -> None:
    data = [deb(tar(entry("./usr/both", text), entry(f"./usr/{text.decode()}"))) for text in (b"one", b"two")]
    data[1] = deb(tar(entry("./usr/both", bytes(range(256)) * 99), entry("./usr/two")), compression="")
    unpacked = _unpacked(tmp_path, *data)
    assert [item.clashes for item in unpacked] == [(), ("/usr/both",)]
    assert (tmp_path / "root/usr/both").read_bytes() == b"one"
    assert (tmp_path / "root/usr/two").exists()


@pytest.mark.parametrize("jobs", [1, 2])
def test_the_first_package_decides_about_a_directory(jobs: int, tmp_path: Path) -> None:
    small = deb(tar(entry("./usr", type=DIRECTORY, mode=0o750, gid=8)))
    large = deb(tar(entry("./usr", type=DIRECTORY, mode=0o755), entry("./usr/file", bytes(5_000_000))), compression="")
    _unpacked(tmp_path, small, large, jobs=jobs)
    status = namespace.call(_stat, tmp_path / "root/usr", writes=[tmp_path])
    assert status == (0o40750, 8)


def _stat(path: Path) -> tuple[int, int]:
    return path.stat().st_mode, path.stat().st_gid
