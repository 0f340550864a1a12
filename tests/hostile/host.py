"""A stand-in for the machine: a mount namespace in which an attack that succeeds hurts copies.

Everything but the place of work is read-only, /dev is a tmpfs with nodes of its own, /etc/resolv.conf a copy, and there
is no network but a loopback.
"""

from __future__ import annotations

import codecs
import os
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from oic.chroot import namespace
from oic.process import child, syscalls

if TYPE_CHECKING:
    import pwd
    from collections.abc import Callable

Result = TypeVar("Result")
RESOLV_CONF = Path("/etc/resolv.conf")
SAID_FIRST = "nameserver 192.0.2.1\n"
_MINORS = {"null": (1, 3), "zero": (1, 5), "full": (1, 7), "random": (1, 8), "urandom": (1, 9), "tty": (5, 0)}


def beside(
    work: Path,
    function: Callable[..., Result],
    *args: object,
    user: pwd.struct_passwd | None = None,
    lent: Path | None = None,
) -> Result:
    """Return ``function(*args)``, run on the stand-in, as `user` if there is one.

    `work` can be written; the directory `lent` is shown as its ``lent``.
    """
    result: Result = child.start(_on_the_stand_in, work, user, lent, function, args).result()
    return result


def _on_the_stand_in(
    work: Path,
    user: pwd.struct_passwd | None,
    lent: Path | None,
    function: Callable[..., Result],
    args: tuple[object, ...],
) -> Result:
    syscalls.unshare(syscalls.CLONE_NEWNS | syscalls.CLONE_NEWNET)
    syscalls.raise_loopback()
    syscalls.mount("none", "/", flags=syscalls.MS_REC | syscalls.MS_PRIVATE)
    copy = work / "resolv.conf"
    copy.write_text(SAID_FIRST)
    syscalls.mount(str(work), str(work), flags=syscalls.MS_BIND)
    if lent:
        (work / "lent").mkdir(exist_ok=True)
        syscalls.mount(str(lent), str(work / "lent"), flags=syscalls.MS_BIND)
    _mount_devices()
    syscalls.mount(str(copy), str(RESOLV_CONF.resolve()), flags=syscalls.MS_BIND)
    syscalls.make_read_only("/")
    for place in (work, "/dev", "/proc", RESOLV_CONF.resolve()):
        syscalls.make_writable(str(place))
    syscalls.make_device_usable(str(work))
    for name in namespace.DEVICES:
        syscalls.make_writable(f"/dev/{name}")
        syscalls.make_device_usable(f"/dev/{name}")
    if user:
        _become(user)
    return function(*args)


def _mount_devices() -> None:
    syscalls.mount("tmpfs", "/dev", "tmpfs", options="mode=755")
    for name, (major, minor) in _MINORS.items():
        node = f"/dev/{name}"
        os.mknod(node, 0o20666, os.makedev(major, minor))
        os.chmod(node, 0o666)
        syscalls.mount(node, node, flags=syscalls.MS_BIND)
    Path("/dev/fd").symlink_to("/proc/self/fd")


def _become(user: pwd.struct_passwd) -> None:
    codecs.lookup("ascii")  # while Python's own files can be read, which may be in root's home
    os.setgroups([])
    os.setresgid(user.pw_gid, user.pw_gid, user.pw_gid)
    os.setresuid(user.pw_uid, user.pw_uid, user.pw_uid)
    os.environ["HOME"] = user.pw_dir
    os.chdir("/")


def state() -> dict[str, object]:
    """Return what an attack on the machine could have changed; asked on the stand-in."""
    nodes = {name: os.stat(f"/dev/{name}") for name in _MINORS}
    return {
        "resolv.conf": RESOLV_CONF.read_text(),
        **{name: (oct(node.st_mode), node.st_uid, node.st_gid, int(node.st_mtime)) for name, node in nodes.items()},
        "more": sorted(set(os.listdir("/dev")) - set(_MINORS)),
    }
