"""A root directory in which programs of an image or of its build environment run.

* Everything happens inside `oic.chroot.namespace.call`: mounts are private and die with it.
* A program gets the tree as its root by pivot_root; nothing of the host is left to reach, and no descriptor but pipes.
* /dev is a tmpfs with six of the host's nodes bound into it, read-only: they can be used, not changed. /proc is as
  `oic.chroot.proc` says; /tmp is a tmpfs; there is no /sys and no network but a loopback of the program's own.
* A program has no capability to mount, to trace or to reconfigure the kernel, cannot make a namespace to get one, and
  may not make the calls that `oic.chroot.seccomp` names.
* Whatever a program leaves running ends with it.
* Programs that ask whether they are in a chroot are told so, as in one made by chroot(8).
* The clock is the host's, or `oic.chroot.clock`'s.
"""

from __future__ import annotations

import functools
import os
import resource
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from oic.chroot import clock, namespace, proc, seccomp
from oic.errors import OicError
from oic.process import child, syscalls
from oic.process.run import run

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from oic.process.run import Output

_LINKS = {"fd": "/proc/self/fd", "stdin": "fd/0", "stdout": "fd/1", "stderr": "fd/2", "ptmx": "pts/ptmx"}
FILES = "/dev/files"
"""Where the files are that are shown to programs: a directory of its own, read-only, in no directory of the tree."""

# capabilities(7), by number: all but those that a package's scripts use to own, mode and switch to what they install.
_KEPT = {0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 18, 27, 29, 31}
_DROPPED = tuple(number for number in range(41) if number not in _KEPT)

_IN_CHROOT = {"SYSTEMD_OFFLINE": "1"}
"""For systemd's tools where they do not look at /proc/1/root: nothing is to be started, only enabled or disabled."""
MAX_FILE_BYTES = 64 << 30
"""How long a file of a tree can get; a disk that a script fills is the host's."""
_LIMITS = (
    # 1, not 0: it also keeps the kernel from starting the host's handler of core dumps (core(5))
    (resource.RLIMIT_CORE, 1),
    (resource.RLIMIT_NPROC, namespace.MAX_PROCESSES),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sandbox:
    """A mounted root and the log its programs write to; `dev` and `tmp` are where its /dev and /tmp are mounted."""

    root: Path
    log: Path
    dev: Path
    tmp: Path
    env: Mapping[str, str] = field(default_factory=dict)
    max_file_bytes: int = MAX_FILE_BYTES

    def run(  # noqa: PLR0913 - what `oic.process.run.run` can do, but for what the tree decides
        self,
        argv: Sequence[str],
        *,
        stdin: str = "",
        env: Mapping[str, str] | None = None,
        capture: bool = True,
        network: bool = False,
        whole: bool = False,
    ) -> Output:
        """Run a program of the tree in the tree; raises ToolError (`whole` as in `oic.process.run.run`).

        `network` leaves it the network of the namespace around it, which has one only if that was asked for.
        """
        enter = functools.partial(self._enter, network=network)
        return run(
            argv,
            log=self.log,
            stdin=stdin,
            env={**_IN_CHROOT, **self.env, **(env or {})},
            capture=capture,
            enter=enter,
            leave=child.end_all,
            whole=whole,
        )

    def _enter(self, *, network: bool) -> None:
        syscalls.unshare(syscalls.CLONE_NEWNS if network else syscalls.CLONE_NEWNS | syscalls.CLONE_NEWNET)
        if not network:  # a loopback is no network: postfix's postinst, for one, does not go without
            syscalls.raise_loopback()
        syscalls.pivot_root(str(self.root))
        syscalls.filter_system_calls(seccomp.program())
        for limit, most in (*_LIMITS, (resource.RLIMIT_FSIZE, self.max_file_bytes)):
            _, hard = resource.getrlimit(limit)
            lower = most if hard == resource.RLIM_INFINITY else min(most, hard)
            resource.setrlimit(limit, (lower, lower))
        syscalls.drop_from_bounding_set(_DROPPED)


@contextmanager
def opened(  # noqa: PLR0913 - a root and all that is mounted in it
    root: Path,
    log: Path,
    *,
    env: Mapping[str, str] | None = None,
    files: Mapping[str, Path] | None = None,
    visible: Sequence[Path] = (),
    max_file_bytes: int = MAX_FILE_BYTES,
) -> Iterator[Sandbox]:
    """Make a directory ready to run programs in.

    `visible` directories appear inside under their own paths; `files` of the host, by name, below `FILES`, read-only.
    """
    syscalls.mount(str(root), str(root), flags=syscalls.MS_BIND | syscalls.MS_REC)
    try:
        at, dev, tmp, *shown = _mount_points(root, ["/proc", "/dev", "/tmp", *map(str, visible)])  # noqa: S108
        proc.mount_proc(at)
        _mount_dev(dev)
        syscalls.mount("tmpfs", str(tmp), "tmpfs", syscalls.MS_NOSUID | syscalls.MS_NODEV, "mode=1777")
        for directory, place in zip(visible, shown, strict=True):
            for memory in (tmp, dev / "shm"):  # hides what was made in the tree
                if place.is_relative_to(memory):
                    child.inside(memory, _made, [f"/{place.relative_to(memory)}"])
            syscalls.mount(str(directory), str(place), flags=syscalls.MS_BIND)
        other_clock = clock.current()
        lent = {clock.FILE: other_clock.library} if other_clock else {}
        _show({**(files or {}), **lent}, dev / Path(FILES).name)
        told = other_clock.environment(f"{FILES}/{clock.FILE}") if other_clock else {}
        env = {**(env or {}), **told}
        yield Sandbox(root=root, log=log, dev=dev, tmp=tmp, env=env, max_file_bytes=max_file_bytes)
    finally:
        syscalls.unmount(str(root), syscalls.MNT_DETACH)


def _mount_points(root: Path, paths: Sequence[str]) -> list[Path]:
    """Return where each directory of a tree really is, whatever links lead there; make those that are not there."""
    return [root / place.lstrip("/") for place in child.inside(root, _made, paths)]


def _made(_root: Path, paths: Sequence[str]) -> list[str]:
    found = []
    for path in paths:
        place = os.path.realpath(path)
        try:
            os.makedirs(place, 0o755, exist_ok=True)
        except OSError as error:
            raise OicError(f"expected a directory {path} in the tree: {error.strerror}") from None
        found.append(place)
    return found


def _mount_dev(dev: Path) -> None:
    syscalls.mount("tmpfs", str(dev), "tmpfs", syscalls.MS_NOSUID | syscalls.MS_NOEXEC, "mode=755")
    for name in namespace.DEVICES:
        (dev / name).touch()
        syscalls.bind_read_only(f"/dev/{name}", str(dev / name))
    for name, target in _LINKS.items():
        (dev / name).symlink_to(target)
    for name in ("pts", "shm"):
        (dev / name).mkdir()
    syscalls.mount(
        "devpts", str(dev / "pts"), "devpts", syscalls.MS_NOSUID | syscalls.MS_NOEXEC, "newinstance,ptmxmode=0666"
    )
    syscalls.mount("tmpfs", str(dev / "shm"), "tmpfs", syscalls.MS_NOSUID | syscalls.MS_NODEV, "mode=1777")


def _show(files: Mapping[str, Path], at: Path) -> None:
    if not files:
        return
    flags = syscalls.MS_NOSUID | syscalls.MS_NODEV | syscalls.MS_NOEXEC
    at.mkdir()
    syscalls.mount("tmpfs", str(at), "tmpfs", flags, "mode=755")
    for name, file in files.items():
        if name != Path(name).name or name in ("", ".", ".."):
            raise OicError(f"expected a file name, found {name!r}")
        (at / name).touch()
        syscalls.bind_read_only(str(file), str(at / name))
    syscalls.mount("", str(at), flags=syscalls.MS_REMOUNT | syscalls.MS_BIND | syscalls.MS_RDONLY | flags)
