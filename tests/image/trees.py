"""Trees with everything a file system can hold, and copies of them that differ in all that must not matter."""

from __future__ import annotations

import os
import random
import stat
from pathlib import Path

EPOCH = 1_700_000_000
ROOT = os.geteuid() == 0
CAPABILITY = bytes.fromhex("0100000200200000000000000000000000000000")  # cap_net_raw+ep, as ping has it
ACL = bytes.fromhex("02000000 01000700ffffffff 02000600e8030000 04000500ffffffff 10000700ffffffff 20000500ffffffff")


def make_odd_tree(at: Path) -> Path:
    """A tree of odd names, sizes, types, owners, modes, times, links and attributes."""
    deep = os.path.join(os.fsencode(at), b'a b"c', b"\xff\n x")
    os.makedirs(deep)
    Path(os.fsdecode(deep), "f\ng").write_text("hello")
    (at / 'q"uo te\\ "" <12>').write_text("quoted")
    (at / "short").symlink_to("x" * 59)
    (at / "long").symlink_to("y" * 60)
    (at / "longest").symlink_to("z" * 2000)
    (at / "outside").symlink_to("/etc/shadow")
    with (at / "sparse").open("wb") as file:
        file.truncate(50 << 20)
        file.seek(20 << 20)
        file.write(b"in the middle")
    (at / "zeros").write_bytes(bytes(1 << 20))
    (at / "content").write_bytes(random.Random(1).randbytes(3 << 20))
    (at / 'a b"c' / "hard link").hardlink_to(at / "content")
    (at / "many").mkdir()
    for number in range(1500):
        (at / "many" / f"a-name-long-enough-to-fill-blocks-{number}").touch()
    (at / "lost+found").mkdir(mode=0o700)
    os.mkfifo(at / "fifo", 0o644)
    (at / "setuid").touch()
    os.setxattr(at / 'a b"c', "user.note", b"on a\0directory\n")
    os.setxattr(at / 'q"uo te\\ "" <12>', 'user.b "2', b"second")
    os.setxattr(at / 'q"uo te\\ "" <12>', "user.a", b"long" * 700)
    if ROOT:
        _add_what_only_root_can(at)
    os.utime(at / "fifo", (5, 4_000_000_000.5))
    os.utime(at / "content", (5, 1_234_567_890.7))
    os.utime(at / "setuid", (5, -1000))
    (at / "setuid").chmod(0o6755)
    at.chmod(0o2751)
    return at


def _add_what_only_root_can(at: Path) -> None:
    os.mknod(at / "tty", 0o20620 | stat.S_IFCHR, os.makedev(5, 1))
    os.mknod(at / "disk", 0o600 | stat.S_IFBLK, os.makedev(300, 70000))
    (at / "tty").chmod(0o620)
    os.chown(at / "setuid", 100_000, 4_000_000_000)
    os.chown(at / "longest", 7, 8, follow_symlinks=False)
    os.chown(at, 70_000, 5)
    os.setxattr(at / 'q"uo te\\ "" <12>', "security.capability", CAPABILITY)
    os.setxattr(at / "many", "system.posix_acl_default", ACL)


def copy_shuffled(source: Path, at: Path, seed: int) -> Path:
    """Copy a tree, its entries made in another order, its attributes set in another order, everything read once."""
    chance = random.Random(seed)
    links: dict[tuple[int, int], bytes] = {}
    _copy(os.fsencode(source), os.fsencode(at), chance, links)
    for path in sorted(at.rglob("*"), key=lambda _: chance.random()):
        if not path.is_symlink() and path.is_file():
            path.read_bytes()
    return at


def _copy(source: bytes, at: bytes, chance: random.Random, links: dict[tuple[int, int], bytes]) -> None:
    status = os.lstat(source)
    if not stat.S_ISDIR(status.st_mode) and (status.st_dev, status.st_ino) in links:
        os.link(links[status.st_dev, status.st_ino], at, follow_symlinks=False)
        return
    links[status.st_dev, status.st_ino] = at
    if stat.S_ISDIR(status.st_mode):
        os.mkdir(at)
        names = sorted(os.listdir(source))
        chance.shuffle(names)
        for name in names:
            _copy(source + b"/" + name, at + b"/" + name, chance, links)
    elif stat.S_ISLNK(status.st_mode):
        os.symlink(os.readlink(source), at)
    elif stat.S_ISREG(status.st_mode):
        Path(os.fsdecode(at)).write_bytes(Path(os.fsdecode(source)).read_bytes())  # holes become zeros
    else:
        os.mknod(at, status.st_mode, status.st_rdev)
    if ROOT:
        os.chown(at, status.st_uid, status.st_gid, follow_symlinks=False)
    if not stat.S_ISLNK(status.st_mode):
        os.chmod(at, stat.S_IMODE(status.st_mode))
    names = sorted(os.fsencode(name) for name in os.listxattr(source, follow_symlinks=False))
    for name in sorted(names, key=lambda _: chance.random()):
        os.setxattr(at, name, os.getxattr(source, name, follow_symlinks=False), follow_symlinks=False)
    os.utime(at, ns=(chance.randrange(10**18), status.st_mtime_ns), follow_symlinks=False)


def described(tree: Path) -> dict[bytes, tuple[int, int, int, int, int, bytes | None]]:
    """Return what is to be seen of each path; times as an image is to have them."""
    found = {}
    for directory, names, files in os.walk(os.fsencode(tree)):
        for name in [b".", *files, *(n for n in names if os.path.islink(directory + b"/" + n))]:
            path = directory + b"/" + name
            status = os.lstat(path)
            mtime = int(status.st_mtime) if 0 <= status.st_mtime <= EPOCH else EPOCH
            content: bytes | None = None
            if stat.S_ISREG(status.st_mode):
                content = Path(os.fsdecode(path)).read_bytes()
            elif stat.S_ISLNK(status.st_mode):
                content, mtime = os.readlink(path), 0
            links = 0 if stat.S_ISDIR(status.st_mode) else status.st_nlink
            entry = (status.st_mode, status.st_uid, status.st_gid, links, mtime, content)
            found[path[len(os.fsencode(tree)) :]] = entry
    return found
