"""File systems held against e2fsck, dumpe2fs and debugfs, which read what mke2fs and debugfs wrote."""

import os
import re
import shutil
import stat
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from oic.errors import OicError, ToolError
from oic.files import digest_of_file
from oic.image.fs.ext import _run_debugfs, make, quoted
from oic.image.fs.inodes import read_times
from oic.image.fs.spec import DoesNotFitError, FileSystemSpec
from oic.image.fs.survey import survey_tree
from oic.values import Bytes

from .host import HostTools, output
from .trees import ACL, CAPABILITY, EPOCH, ROOT, copy_shuffled, described, make_odd_tree

UUID = "11111111-2222-8333-8444-555555555555"
SIZE = Bytes(48 << 20)


def _make(tree: Path, image: Path, size: Bytes = SIZE, uuid: str = UUID, kind: str = "ext4") -> Path:
    spec = FileSystemSpec(type=kind, view=tree, at="/", image=image, size=size, uuid=uuid, label="root", epoch=EPOCH)
    make(spec, HostTools())
    return image


def _ask(image: Path, question: str) -> str:
    return output("debugfs", "-R", question, image)


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_odd_tree(tmp_path_factory.mktemp("odd"))


@pytest.fixture(scope="module", params=["ext4", "ext3", "ext2"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def image(odd: Path, kind: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _make(odd, tmp_path_factory.mktemp("image") / "root.img", kind=kind)


def test_e2fsck_has_no_complaint(image: Path) -> None:
    said = output("e2fsck", "-f", "-n", image)
    assert not re.search(r"Fix\?|WARNING|error|wrong", said), said
    assert image.stat().st_size == SIZE


OWN_FEATURES: dict[str, set[str]] = {
    "ext2": set(),
    "ext3": {"has_journal"},
    "ext4": {"has_journal", "metadata_csum", "64bit", "extent"},
}


def test_the_superblock_says_what_was_asked_for(image: Path, kind: str) -> None:
    said = dict(re.findall(r"^(.+?):\s+(.*)$", output("dumpe2fs", "-h", image), re.MULTILINE))
    assert (said["Filesystem UUID"], said["Filesystem volume name"]) == (UUID, "root")
    assert {*said["Filesystem features"].split()} & OWN_FEATURES["ext4"] == OWN_FEATURES[kind]
    assert f"TYPE={kind}\n" in output("blkid", "-p", "-o", "export", image)
    assert said["Filesystem created"] == said["Last write time"] == "Tue Nov 14 22:13:20 2023"
    assert "Lifetime writes" not in said
    assert ("ITABLE_ZEROED" in output("dumpe2fs", image)) == (kind == "ext4")


def test_the_image_is_sparse(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    made = _make(tree, tmp_path / "image", Bytes(4 << 30))
    assert made.stat().st_blocks * 512 < 32 << 20


def test_everything_comes_out_as_it_went_in(odd: Path, image: Path, tmp_path: Path) -> None:
    _ask(image, f"rdump / {tmp_path}")
    wanted, found = described(odd), described(tmp_path)
    # rdump makes no fifos, nodes or hard links, and gives links no owner and nothing its setuid bit
    plain = {path for path in wanted if not re.search(rb"/(fifo|tty|disk)$", path) and path != b"/."}
    assert plain <= {*found}
    assert {*found} - {*wanted} == set()
    for path in sorted(plain):
        mode, *owner, _, mtime, content = wanted[path]
        assert found[path][-1] == content, path
        assert (found[path][0] & 0o170777, found[path][4]) == (mode & 0o170777, mtime), path
        if ROOT and not stat.S_ISLNK(mode):
            assert [*found[path][1:3]] == owner, path


@pytest.mark.parametrize(
    ("path", "facts"),
    [
        ("/setuid", ["Mode:  06755", "User: 100000", "Group: -294967296", "mtime: 0x6553f100:00000000"]),
        ("/", ["Mode:  02751", "User: 70000", "Group:     5"]),
        ("/tty", ["character special", "Mode:  0620", "major/minor number: 05:01"]),
        ("/disk", ["block special", "major/minor number: 300:70000"]),
        ("/fifo", ["FIFO", "mtime: 0x6553f100:00000000"]),
        ("/content", ["Links: 2", "mtime: 0x499602d2:00000000"]),
        ("/short", ['Fast link dest: "xxxxx', "Blockcount: 0"]),
        ("/longest", ["User:     7   Group:     8", "Size: 2000"]),
        ("/long", ["Size: 60", "Blockcount: 8"]),
        ("/sparse", ["Size: 52428800", "Blockcount: "]),
        ("/zeros", ["Size: 1048576", "Blockcount: 0"]),
    ],
)
@pytest.mark.skipif(not ROOT, reason="owners and device nodes can be made by root only")
def test_debugfs_finds_types_owners_links_and_holes(image: Path, path: str, facts: list[str]) -> None:
    said = _ask(image, f"stat {path}")
    assert [fact for fact in facts if re.sub(r"\s+", " ", fact) not in re.sub(r"\s+", " ", said)] == [], said
    assert "lost+found" in _ask(image, "ls /")


def test_extended_attributes_are_there_byte_for_byte(odd: Path, image: Path, tmp_path: Path) -> None:
    wanted = [xattr for xattr in survey_tree(odd).xattrs if not xattr.name.startswith(b"system.")]
    assert len(wanted) == (4 if ROOT else 3)
    for xattr in wanted:
        _ask(image, f"ea_get -f {tmp_path}/value {quoted(xattr.path).decode()} {quoted(xattr.name).decode()}")
        assert (tmp_path / "value").read_bytes() == xattr.value
    if ROOT:
        assert f"security.capability ({len(CAPABILITY)})" in _ask(image, 'ea_list "q""uo te\\ """" <12>"')
        # ext4's own form: a version of 1, and entries without an id where there is none (28 bytes instead of 44)
        assert f"system.posix_acl_default ({len(ACL) - 16}) = 01 00 00 00 01 00 07 00" in _ask(image, "ea_list /many")


def test_equal_trees_give_equal_bits_whatever_their_history(
    odd: Path, image: Path, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = digest_of_file(image)
    previous = os.umask(0o077)
    try:
        first = copy_shuffled(odd, tmp_path / "one", seed=1)
        second = copy_shuffled(odd, tmp_path / "two", seed=2)
        assert digest_of_file(_make(first, tmp_path / "one.img", kind=kind)) == wanted
        monkeypatch.setenv("TZ", "Asia/Tokyo")
        monkeypatch.setenv("LC_ALL", "en_US.UTF-8")
        assert digest_of_file(_make(second, tmp_path / "two.img", kind=kind)) == wanted
    finally:
        os.umask(previous)


@pytest.mark.skipif(not os.access("/dev/shm", os.W_OK), reason="needs a second file system: /dev/shm")
def test_the_file_system_below_does_not_show(odd: Path, image: Path, kind: str) -> None:
    there = Path(tempfile.mkdtemp(dir="/dev/shm", prefix="oic-test-"))
    try:
        first = copy_shuffled(odd, there / "one", seed=3)
        second = copy_shuffled(odd, there / "two", seed=4)
        assert os.listdir(first) != os.listdir(second)
        made = [digest_of_file(_make(tree, there / "image", kind=kind)) for tree in (first, second)]
        assert made == [digest_of_file(image)] * 2
    finally:
        shutil.rmtree(there)


def test_a_real_tree_twice(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    for part in ("/usr/share/zoneinfo", "/usr/share/perl", "/usr/share/dpkg", "/etc/apt"):
        if Path(part).exists():
            copy_shuffled(Path(part), source / Path(part).name, seed=5)
    first = _make(source, tmp_path / "a.img", Bytes(256 << 20))
    second = _make(copy_shuffled(source, tmp_path / "copy", seed=4), tmp_path / "b.img", Bytes(256 << 20))
    assert digest_of_file(first) == digest_of_file(second)
    output("e2fsck", "-f", "-n", first)


def test_no_time_but_mtime_is_the_files_own(image: Path) -> None:
    times = dict(read_times(image))
    assert len(times) > 1500
    for number, found in times.items():
        assert {found["atime"], found["ctime"], found["crtime"]} == {EPOCH}, number
        assert {value for name, value in found.items() if name.endswith("_extra")} == {0}, number
        assert 0 <= found["mtime"] <= EPOCH, number


def test_a_tree_that_does_not_fit_says_what_it_needs(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "big").write_bytes(os.urandom(20 << 20))
    with pytest.raises(
        OicError, match=r"the files of / do not fit its ext4: needs about \d+ MiB, has 16 MiB, \d+ MiB too few"
    ) as caught:
        _make(tree, tmp_path / "image", Bytes(16 << 20))
    assert type(caught.value) is DoesNotFitError
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tree"]
    needed = int(re.findall(r"about (\d+) MiB", str(caught.value))[0])
    _make(tree, tmp_path / "image", Bytes(needed << 20))


def test_many_small_files_get_their_inodes(tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    for number in range(4000):
        (tmp_path / "tree" / str(number)).touch()
    _make(tmp_path / "tree", tmp_path / "image", Bytes(16 << 20))


def test_a_missing_tree_and_a_failing_tool_leave_nothing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        _make(tmp_path / "none", tmp_path / "image")
    (tmp_path / "tree").mkdir()
    with pytest.raises(ToolError):
        _make(tmp_path / "tree", tmp_path / "image", uuid="no uuid")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tree"]


def test_an_attribute_on_a_name_with_a_line_break_is_refused_by_name(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    bad = tree / "x\nset_inode_field <2> mode 0"
    bad.touch()
    _make(tree, tmp_path / "image")  # the name alone is no trouble
    os.setxattr(bad, "user.x", b"1")
    with pytest.raises(OicError, match=r"cannot set 'user.x' on '/x\\nset_inode_field <2> mode 0'"):
        _make(tree, tmp_path / "image2")


@pytest.mark.parametrize(
    "bad", [b"ea_set -f /nowhere / user.x", b"set_inode_field /none ctime @1", b"nonsense", b'cat "', b"ls"]
)
def test_what_debugfs_only_prints_is_an_error(image: Path, tmp_path: Path, bad: bytes) -> None:
    copy = Path(shutil.copy(image, tmp_path / "image"))
    with pytest.raises(ToolError, match="debugfs: "):
        _run_debugfs([b"set_inode_field <2> mtime @1", bad], copy, tmp_path, EPOCH, HostTools())


names = st.lists(st.sampled_from(sorted({*range(256)} - {*b"/\0\n\r"})), min_size=1, max_size=40).map(bytes)
ODD = rb"""";quit|" x|<2>|#x|  |"|""|\|!ls|-f|'x'|a	b""".split(b"|")


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(found=st.sets(names.filter(lambda name: name not in {b".", b".."}), min_size=1, max_size=30))
@example(found={*ODD, b"\xff\xfe", b"\x0b\x0c"})
def test_debugfs_reads_every_name_that_can_be_quoted(
    tmp_path_factory: pytest.TempPathFactory, found: set[bytes]
) -> None:
    at = tmp_path_factory.mktemp("names")
    (at / "tree").mkdir()
    for name in found:
        path = os.path.join(os.fsencode(at / "tree"), name)
        Path(os.fsdecode(path)).write_bytes(name)
        os.setxattr(path, "user.name", name)
    made = _make(at / "tree", at / "image")
    inodes = range(12, 12 + len(found))
    lines = [f"dump <{inode}> {at}/{inode}\nea_get -f {at}/{inode}.ea <{inode}> user.name\n" for inode in inodes]
    (at / "script").write_text("".join(lines))
    output("debugfs", "-f", at / "script", made)
    read = {(at / str(inode)).read_bytes() for inode in inodes}
    assert read == found
    assert all((at / str(inode)).read_bytes() == (at / f"{inode}.ea").read_bytes() for inode in inodes)
