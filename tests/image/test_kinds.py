"""Swap space, squashfs, erofs, btrfs and xfs, as their own tools and blkid read them."""

from __future__ import annotations

import os
import re
import stat
from typing import TYPE_CHECKING

import pytest

from oic.errors import OicError, ToolError
from oic.files import digest_of_file
from oic.image.fs import FILE_SYSTEMS
from oic.image.fs.making import MAKERS, make
from oic.image.fs.spec import DoesNotFitError, FileSystemSpec
from oic.values import Bytes

from .host import HostTools, output
from .trees import CAPABILITY, EPOCH, ROOT, copy_shuffled, described, make_odd_tree

if TYPE_CHECKING:
    from pathlib import Path

UUID = "11111111-2222-8333-8444-555555555555"
SIZES = {"linux-swap": 64, "squashfs": 64, "erofs": 64, "btrfs": 256, "xfs": 320}
SAME = [word for word in SIZES if not FILE_SYSTEMS[word].is_drawn]


def _make(word: str, tree: Path, image: Path, mib: int = 0, label: str = "", uuid: str = UUID) -> Path:
    size = Bytes((mib or SIZES[word]) << 20)
    spec = FileSystemSpec(type=word, view=tree, at="/opt", image=image, size=size, uuid=uuid, label=label, epoch=EPOCH)
    make(spec, HostTools())
    return image


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_odd_tree(tmp_path_factory.mktemp("odd"))


def _blkid(image: Path) -> dict[str, str]:
    return dict(re.findall(r"^(\w+)=(.*)$", output("blkid", "-p", "-o", "export", image), re.MULTILINE))


@pytest.mark.parametrize("word", SIZES)
def test_blkid_finds_type_uuid_and_label(word: str, tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    label = "data" if FILE_SYSTEMS[word].max_label else ""
    found = _blkid(_make(word, tmp_path / "tree", tmp_path / "image", label=label))
    assert found["TYPE"] == FILE_SYSTEMS[word].mounted_as
    assert found.get("UUID") == (None if word == "squashfs" else UUID)
    assert found.get("LABEL", "") == label


def _empty(at: Path) -> Path:
    (at / "empty").mkdir()
    return at / "empty"


@pytest.mark.parametrize("word", SAME)
def test_equal_trees_give_equal_bits(word: str, odd: Path, tmp_path: Path) -> None:
    tree = copy_shuffled(odd, tmp_path / "tree", seed=2) if word != "linux-swap" else _empty(tmp_path)
    for path in tree.glob("q*"):  # several attributes are stored in the order in which they were set
        for name in os.listxattr(path):
            os.removexattr(path, name)
    first = digest_of_file(_make(word, tree, tmp_path / "one.img"))
    second = _make(word, copy_shuffled(tree, tmp_path / "copy", seed=3), tmp_path / "two.img")
    assert digest_of_file(second) == first


def _unpacked(word: str, image: Path, at: Path) -> Path:
    if word == "squashfs":
        output("unsquashfs", "-no-progress", "-quiet", "-d", at, image)
    elif word == "erofs":
        output("fsck.erofs", f"--extract={at}", image)
    else:
        at.mkdir()
        output("btrfs", "restore", "-m", "-S", "-x", image, at)
    return at


@pytest.mark.skipif(not ROOT, reason="owners and device nodes can be made by root only")
@pytest.mark.parametrize("word", ["squashfs", "erofs", "btrfs"])
def test_what_went_in_comes_out(word: str, odd: Path, tmp_path: Path) -> None:
    found = described(_unpacked(word, _make(word, odd, tmp_path / "image"), tmp_path / "out"))
    wanted = described(odd)
    special = {path for path, (mode, *_) in wanted.items() if not stat.S_ISREG(mode) and not stat.S_ISLNK(mode)}
    compared = {*wanted} - (special if word == "btrfs" else LEFT_OUT)  # btrfs restore makes no nodes
    for path in sorted(compared):
        mode, *owner, _, mtime, content = wanted[path]
        assert found[path][-1] == content, path
        if not stat.S_ISLNK(mode):
            seen = 0o171777 if word == "erofs" else 0o177777  # fsck.erofs sets a mode before the owner, which clears it
            assert (found[path][0] & seen, [*found[path][1:3]]) == (mode & seen, owner), path
        if word == "squashfs" and content is not None and not stat.S_ISLNK(mode):
            assert found[path][4] == mtime, path


@pytest.mark.skipif(not ROOT, reason="capabilities can be set by root only")
@pytest.mark.parametrize("word", ["squashfs", "erofs", "btrfs"])
def test_capabilities_and_hard_links_stay(word: str, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "ping").write_bytes(b"program")
    os.setxattr(tree / "ping", "security.capability", CAPABILITY)
    (tree / "link").hardlink_to(tree / "ping")
    image = _make(word, tree, tmp_path / "image")
    if word == "btrfs":
        said = output("btrfs", "inspect-internal", "dump-tree", "-t", "fs", image)
        assert re.search(r"nlink 2 .*links|links 2|nlink 2", said), said
        assert "security.capability" in said
        return
    if word == "erofs":
        said = output("dump.erofs", "--path=/ping", image)
        assert re.search(r"Links:? *2", said), said
        return
    out = _unpacked(word, image, tmp_path / "out")
    assert (out / "ping").stat().st_ino == (out / "link").stat().st_ino
    assert os.getxattr(out / "ping", "security.capability") == CAPABILITY


LEFT_OUT = {b"/.", b"/lost+found/."}
CHECKS = {
    "squashfs": ["unsquashfs", "-lls"],
    "erofs": ["fsck.erofs"],
    "btrfs": ["btrfs", "check", "--readonly"],
    "xfs": ["xfs_repair", "-n", "-f"],
}


@pytest.mark.parametrize("word", CHECKS)
def test_the_checker_has_no_complaint(word: str, odd: Path, tmp_path: Path) -> None:
    output(*CHECKS[word], _make(word, _empty(tmp_path) if word == "xfs" else odd, tmp_path / "image"))


@pytest.mark.parametrize("word", ["squashfs", "erofs", "btrfs"])
def test_what_does_not_fit_says_how_much_is_missing(word: str, tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    mib = 140 if word == "btrfs" else 8
    (tmp_path / "tree/big").write_bytes(os.urandom((mib + 10) << 20))
    with pytest.raises(OicError, match=rf"the files of /opt do not fit its {word}: needs .*\d+ MiB too few") as caught:
        _make(word, tmp_path / "tree", tmp_path / "image", mib=mib)
    assert type(caught.value) is DoesNotFitError
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tree"]


def test_xfs_takes_no_files(odd: Path, tmp_path: Path) -> None:
    with pytest.raises(OicError, match="xfs can only be empty at build time, as its tools fill none: found a b"):
        _make("xfs", odd, tmp_path / "image")


@pytest.mark.parametrize("word", SIZES)
def test_a_failing_tool_leaves_nothing(word: str, tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    uuid, tree = ("none", "tree") if word != "squashfs" else (UUID, "missing")
    with pytest.raises(ToolError):
        _make(word, tmp_path / tree, tmp_path / "image", uuid=uuid)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tree"]


def test_every_file_system_is_made_by_something() -> None:
    assert {kind.mounted_as for kind in FILE_SYSTEMS.values()} == set(MAKERS)
