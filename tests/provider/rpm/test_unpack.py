"""The build environment: the tree is the one rpm makes, and nothing gets anywhere else."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from typing import TYPE_CHECKING

import pytest

from oic.chroot import namespace
from oic.chroot.tree import digest_of_tree, walk
from oic.errors import TrustError
from oic.provider.rpm.tags import Tag
from oic.provider.rpm.unpack import unpack

from .made import Made, locked, needs_rpm
from .surgery import TRAILER, Parts, cpio_entry, numbers, package, text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from oic.ospackage.lock import LockedPackage

DIRECTORY, LINK, FIFO, FILE = 0o040755, 0o120777, 0o010644, 0o100644
FILESYSTEM = """\
cd %{buildroot}; mkdir -p usr/bin usr/sbin usr/lib usr/local/lib etc var/tmp run root tmp
ln -s usr/bin bin; ln -s usr/sbin sbin; ln -s usr/lib lib; ln -s usr/lib lib64; ln -s lib usr/lib64
ln -s lib usr/local/lib64; ln -s ../run var/run; ln -s /proc/self/mounts etc/mtab; echo root:x:0:0::/: >etc/passwd
"""
FILESYSTEM_FILES = """\
/bin
/sbin
/lib
/lib64
%dir /usr
/usr/bin
/usr/sbin
/usr/lib
/usr/lib64
/usr/local
/etc
/run
%dir /var
/var/run
%attr(1777,root,root) /var/tmp
%attr(1777,root,root) /tmp
%attr(0700,root,root) /root
%dir %attr(0555,root,root) /
%ghost /usr/lib/ghost
"""
LIBRARY = """\
cd %{buildroot}; mkdir -p lib64/deep usr/lib64 usr/bin var/run/lib
echo lib >lib64/libx.so.1.2; ln -s libx.so.1.2 lib64/libx.so.1
echo deep >usr/lib64/other; echo deep >lib64/deep/file; ln lib64/deep/file lib64/deep/again; : >var/run/lib/empty
echo 'set' >usr/bin/suid; chmod 4711 usr/bin/suid; head -c 2000000 /dev/urandom >usr/lib64/large
echo same >usr/lib64/shared
touch -d @1600000000 usr/lib64/shared
echo twice >lib64/twice; touch -d @1600000000 lib64/twice; cp -p lib64/twice usr/lib64/twice
"""
LIBRARY_FILES = "/lib64/*\n/usr/lib64/[lost]*\n/usr/bin/suid\n/var/run/lib\n"
PROGRAM = """\
cd %{buildroot}; mkdir -p bin usr/lib/deep sbin; echo prog >bin/program; ln -s ../bin/program sbin/link
echo more >usr/lib/deep/more; echo same >usr/lib/shared; touch -d @1600000000 usr/lib/shared
"""
PROGRAM_FILES = "/bin/program\n/sbin/link\n/usr/lib/deep\n/usr/lib/shared\n"
AFTER = "Requires(pre): filesystem"


def _write(place: Path, *packages: Parts) -> list[tuple[LockedPackage, Path]]:
    place.mkdir(exist_ok=True)
    needs_rpm()
    files = [place / f"{number}.rpm" for number in range(len(packages))]
    for file, parts in zip(files, packages, strict=True):
        file.write_bytes(parts.bytes())
    return [(locked(file), file) for file in files]


def _unpacked(place: Path, *packages: Parts, jobs: int = 2) -> int:
    members = _write(place, *packages)
    (place / "root").mkdir()
    return namespace.call(_unpack, members, place / "root", jobs, writes=[place])


def _unpack(members: Sequence[tuple[LockedPackage, Path]], root: Path, jobs: int) -> int:
    return unpack(members, root, jobs=jobs)


def _described(root: Path) -> dict[str, tuple[object, ...]]:
    """Return what rpm decides about each path; not the database, and of directories not the time."""
    found: dict[str, tuple[object, ...]] = {}
    names: dict[int, list[str]] = {}
    for path, status in walk(root):
        if path == "." or path.startswith(("usr/lib/sysimage", "var/lib")):
            continue
        kind = stat.S_IFMT(status.st_mode)
        content = (root / path).read_bytes() if kind == stat.S_IFREG else b""
        link = os.readlink(root / path) if kind == stat.S_IFLNK else ""
        time = 0 if kind == stat.S_IFDIR else int(status.st_mtime)
        found[path] = (f"{status.st_mode:o}", status.st_uid, status.st_gid, content, link, time)
        names.setdefault(status.st_ino, []).append(path)
    found["(links)"] = tuple(sorted(tuple(paths) for paths in names.values() if len(paths) > 1))
    return found


def _both(files: Sequence[tuple[LockedPackage, Path]], place: Path) -> tuple[dict[str, tuple[object, ...]], ...]:
    ours, theirs = place / "ours", place / "theirs"
    ours.mkdir()
    theirs.mkdir()
    unpack(files, ours)
    argv = ["rpm", "--root", str(theirs), "--dbpath=/var/lib/rpm", "--install", "--nodeps", "--noscripts"]
    argv += ["--nosignature", "--noplugins", "--force-debian", "--define", "_var /var"]
    done = subprocess.run([*argv, *(str(file) for _, file in files)], capture_output=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    shutil.rmtree(theirs / "var/lib", ignore_errors=True)
    return _described(ours), _described(theirs)


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[LockedPackage, Path]]:
    place = tmp_path_factory.mktemp("three")
    made = (
        Made(name="filesystem", install=FILESYSTEM, files=FILESYSTEM_FILES, payload="w1.zstdio"),
        Made(name="library", install=LIBRARY, files=LIBRARY_FILES, payload="w1.xzdio", tags=AFTER),
        Made(name="program", install=PROGRAM, files=PROGRAM_FILES, payload="w1.gzdio", tags=AFTER),
    )
    return [(locked(file), file) for file in (item.make(place) for item in made)]


def test_the_tree_is_the_one_that_rpm_makes(three: list[tuple[LockedPackage, Path]], tmp_path: Path) -> None:
    ours, theirs = namespace.call(_both, three, tmp_path, writes=[tmp_path])
    assert ours == theirs
    assert "usr/lib/libx.so.1.2" in ours


def _digest(files: Sequence[tuple[LockedPackage, Path]], root: Path, jobs: int) -> str:
    root.mkdir()
    unpack(files, root, jobs=jobs)
    for path, status in walk(root):
        if stat.S_ISDIR(status.st_mode):
            os.utime(root / path, (0, 0))
    return digest_of_tree(root)


@pytest.mark.parametrize("jobs", [1, 2, 3])
def test_neither_processes_nor_order_make_a_difference(
    jobs: int, three: list[tuple[LockedPackage, Path]], tmp_path: Path
) -> None:
    one = namespace.call(_digest, three, tmp_path / "one", 1, writes=[tmp_path])
    assert namespace.call(_digest, three, tmp_path / "again", jobs, writes=[tmp_path]) == one
    assert namespace.call(_digest, three[::-1], tmp_path / "backwards", jobs, writes=[tmp_path]) == one


def test_the_time_is_that_of_the_newest_package(tmp_path: Path) -> None:
    newer = package(("/usr/b", b"x", FILE), name="newer")
    newer.header[Tag.BUILD_TIME] = numbers(1_750_000_000)
    assert _unpacked(tmp_path, newer, package(("/usr/a", b"x", FILE))) == 1_750_000_000
    (tmp_path / "empty").mkdir()
    assert namespace.call(unpack, [], tmp_path / "empty", writes=[tmp_path]) == 0


def test_usr_is_merged_unless_a_package_says_otherwise(tmp_path: Path) -> None:
    _unpacked(tmp_path, package(("/bin/a", b"x", FILE), ("/lib64", b"usr/lib", LINK), ("/lib64/b", b"x", FILE)))
    root = tmp_path / "root"
    assert {name: os.readlink(root / name) for name in ("bin", "lib", "lib64", "sbin")} == {
        "bin": "usr/bin",
        "lib": "usr/lib",
        "lib64": "usr/lib",
        "sbin": "usr/sbin",
    }
    assert (root / "usr/bin/a").read_bytes() == (root / "usr/lib/b").read_bytes() == b"x"


@pytest.mark.parametrize("target", ["/", "../../../../.."])
def test_a_link_out_of_the_root_leads_back_into_it(target: str, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    way = ("/way", target.encode(), LINK)
    _unpacked(tmp_path, package(way, (f"/way{outside}", b"caught", FILE)))
    assert not outside.exists()
    assert (tmp_path / f"root{outside}").read_bytes() == b"caught"


def test_links_through_links_are_followed(tmp_path: Path) -> None:
    first = package(("/a/b", b"../c", LINK), ("/a/b/d", b"deep", LINK), ("/a/b/d/file", b"x", FILE))
    second = package(("/c/deep", b"", DIRECTORY), ("/e", b"/a/b", LINK), ("/e/d/other", b"y", FILE), name="second")
    _unpacked(tmp_path, first, second)
    assert (tmp_path / "root/c/deep/file").read_bytes() == b"x"
    assert (tmp_path / "root/c/deep/other").read_bytes() == b"y"


LOOP = (("/loop", b"loop", LINK), ("/loop/file", b"x", FILE))
SWAPPED = text("0" * 64)
CLASHES = {
    "other content": ([("/usr/a", b"x", FILE)], [("/usr/a", b"y", FILE)], "expected one '/usr/a', found another in"),
    "file and link": ([("/usr/a", b"x", FILE)], [("/usr/a", b"b", LINK)], "expected one '/usr/a', found another in"),
    "by another name": ([("/lib/a", b"x", FILE)], [("/usr/lib/a", b"y", FILE)], "expected one '/usr/lib/a', found"),
    "two links": ([("/usr/a", b"b", LINK)], [("/usr/a", b"c", LINK)], "expected one '/usr/a', found another in"),
    "directory and file": ([("/usr/a", b"", DIRECTORY)], [("/usr/a", b"x", FILE)], "expected a directory '/usr/a'"),
    "file as parent": ([("/usr/a/b", b"x", FILE)], [("/usr/a", b"x", FILE)], "expected a directory '/usr/a'"),
    "file for a link": ([("/bin", b"x", FILE)], [("/bin/a", b"x", FILE)], "expected a directory '/bin'"),
    "links through each other": (
        [("/a", b"/", LINK), ("/a/a", b"/etc", LINK), ("/a/a/x", b"x", FILE)],
        [],
        "found some that lead through each other, '/a' for one",
    ),
    "loop": ([], list(LOOP), "second 1.0-1: expected a directory, found a loop of symbolic links at '/loop'"),
}


@pytest.mark.parametrize("case", CLASHES)
def test_files_that_cannot_be_in_one_tree_are_refused(case: str, tmp_path: Path) -> None:
    first, second, words = CLASHES[case]
    with pytest.raises(TrustError) as raised:
        _unpacked(tmp_path, package(*first, name="first"), package(*second, name="second"))
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)
    assert list((tmp_path / "root").iterdir()) == []


@pytest.mark.parametrize("jobs", [1, 2])
def test_two_packages_may_have_the_same_file(jobs: int, tmp_path: Path) -> None:
    both = ("/usr/a", b"same", FILE)
    first = package(both, ("/usr", b"", 0o040750), name="first")
    second = package(("/usr", b"", DIRECTORY), both, ("/usr/b", b"x", FILE), name="second")
    _unpacked(tmp_path, first, second, jobs=jobs)
    assert (tmp_path / "root/usr/a").read_bytes() == b"same"
    assert stat.S_IMODE((tmp_path / "root/usr").stat().st_mode) == 0o750


def _lying(**changes: object) -> Parts:
    parts = package(("/usr/a", b"abc", FILE), ("/usr/l", b"to", LINK))
    parts.header.update({Tag[name]: value for name, value in changes.items()})  # type: ignore[misc]
    return parts


LIES: dict[str, tuple[Callable[[], Parts], str]] = {
    "digest": (lambda: _lying(FILE_DIGESTS=text("0" * 64, "")), "expected sha256 0000"),
    "no digest": (lambda: _lying(FILE_DIGESTS=text("", "")), "expected sha256  of '/usr/a'"),
    "target": (
        lambda: package(("/usr/l", b"to", LINK), payload=cpio_entry("./usr/l", b"ot", LINK) + TRAILER),
        "expected a link to 'to' at '/usr/l', found another target",
    ),
    "long name": (lambda: package(("/usr/" + "n" * 300, b"x", FILE)), "expected a path that a file system can hold"),
    "format": (lambda: _lying(PAYLOAD_FORMAT=text("drpm")), "expected a cpio payload, found 'drpm'"),
}


@pytest.mark.parametrize("case", LIES)
def test_a_package_with_false_content_is_refused(case: str, tmp_path: Path) -> None:
    make, words = LIES[case]
    with pytest.raises(TrustError) as raised:
        _unpacked(tmp_path, make())
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_shared_file_is_compared_with_its_digest_too(tmp_path: Path) -> None:
    both = ("/usr/a", b"same", FILE)
    liar = package(both, name="liar", payload=cpio_entry("./usr/a", b"liar") + TRAILER)
    with pytest.raises(TrustError, match=r"liar 1\.0-1: expected sha256"):
        _unpacked(tmp_path, package(both), liar)
