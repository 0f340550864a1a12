"""Runs programs of an image, or of its build environment, with a directory tree as their root.

* It is used inside `oic.chroot.namespace.call`, so that all mounts are private and end with the namespace.
* A program gets the tree as its root by pivot_root. It reaches no file of the host and has no descriptors but pipes.
* /dev is a tmpfs into which six device nodes of the host are bind-mounted read-only: they can be used but not changed.
  /proc is described in `oic.chroot.proc`; /tmp is a tmpfs. There is no /sys, and no network except a loopback.
* A program has no capabilities to mount, to trace or to configure the kernel, cannot create a namespace to get them,
  and may not make the system calls that `oic.chroot.seccomp` denies.
* Processes that a program leaves running are killed when it ends.
* Programs that check whether they run in a chroot find that they do, as after chroot(8).
* The clock is the host's or that of `oic.chroot.clock`.
"""

from __future__ import annotations

import functools
import os
import resource
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import field

from oic.chroot import clock, namespace, proc, seccomp
from oic.errors import OicError
from oic.process import child, syscalls
from oic.process.run import run
from oic.values import Value

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from oic.process.run import Output

_LINKS = {"fd": "/proc/self/fd", "stdin": "fd/0", "stdout": "fd/1", "stderr": "fd/2", "ptmx": "pts/ptmx"}
FILES = "/dev/files"
"""The read-only directory of files that the caller provides; it is a mount of its own and not part of the tree."""

# capabilities(7), by number: those that scripts of packages need to set owners and modes and to switch users.
_KEPT = {0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 18, 27, 29, 31}
_DROPPED = tuple(number for number in range(41) if number not in _KEPT)

_IN_CHROOT = {"SYSTEMD_OFFLINE": "1"}
"""Tells those of systemd's tools that do not look at /proc/1/root that units cannot be started, only enabled."""
MAX_FILE_BYTES = 64 << 30
"""The size limit of a file in a tree: a script that fills the disk fills the host's."""
_LIMITS = (
    # 1, not 0: 1 also keeps the kernel from starting the host's core dump handler (core(5))
    (resource.RLIMIT_CORE, 1),
    (resource.RLIMIT_NPROC, namespace.MAX_PROCESSES),
)


class Sandbox(Value):
    """A root that programs can run in, and their log; `dev` and `tmp` are the directories mounted as /dev and /tmp."""

    root: Path
    log: Path
    dev: Path
    tmp: Path
    env: Mapping[str, str] = field(default_factory=dict)
    max_file_bytes: int = MAX_FILE_BYTES

    def run(  # noqa: PLR0913 - the options of `oic.process.run.run`
        self,
        argv: Sequence[str],
        *,
        stdin: str = "",
        env: Mapping[str, str] | None = None,
        capture: bool = True,
        network: bool = False,
        check_log: bool = False,
        title: str = "",
    ) -> Output:
        """Run a program of the tree with the tree as its root; raises ToolError as `oic.process.run.run` does.

        With `network`, it uses the network of the surrounding namespace, if that was created with one.
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
            check_log=check_log,
            title=title,
        )

    def _enter(self, *, network: bool) -> None:
        syscalls.unshare(syscalls.CLONE_NEWNS if network else syscalls.CLONE_NEWNS | syscalls.CLONE_NEWNET)
        if not network:  # some scripts need a loopback, such as postfix's postinst
            syscalls.raise_loopback()
        syscalls.pivot_root(str(self.root))
        syscalls.filter_system_calls(seccomp.program())
        for limit, maximum in (*_LIMITS, (resource.RLIMIT_FSIZE, self.max_file_bytes)):
            _, hard = resource.getrlimit(limit)
            lower = maximum if hard == resource.RLIM_INFINITY else min(maximum, hard)
            resource.setrlimit(limit, (lower, lower))
        syscalls.drop_from_bounding_set(_DROPPED)


@contextmanager
def opened(  # noqa: PLR0913 - a root and everything mounted in it
    root: Path,
    log: Path,
    *,
    env: Mapping[str, str] | None = None,
    files: Mapping[str, Path] | None = None,
    visible: Sequence[Path] = (),
    max_file_bytes: int = MAX_FILE_BYTES,
) -> Iterator[Sandbox]:
    """Mount what programs need in the tree `root`; yield the sandbox.

    The directories `visible` appear inside under the same paths, and the host's `files`, by name, read-only in `FILES`.
    """
    syscalls.mount(str(root), str(root), flags=syscalls.MS_BIND | syscalls.MS_REC)
    try:
        proc_at, dev, tmp, *places = _mount_points(root, ["/proc", "/dev", "/tmp", *map(str, visible)])  # noqa: S108
        proc.mount_proc(proc_at)
        _mount_dev(dev)
        syscalls.mount("tmpfs", str(tmp), "tmpfs", syscalls.MS_NOSUID | syscalls.MS_NODEV, "mode=1777")
        for directory, place in zip(visible, places, strict=True):
            for memory in (tmp, dev / "shm"):  # these mounts hide the directory created in the tree
                if place.is_relative_to(memory):
                    child.inside(memory, _create_directories, [f"/{place.relative_to(memory)}"])
            syscalls.mount(str(directory), str(place), flags=syscalls.MS_BIND)
        other_clock = clock.current()
        library = {clock.FILE: other_clock.library} if other_clock else {}
        _mount_files({**(files or {}), **library}, dev / Path(FILES).name)
        clock_env = other_clock.environment(f"{FILES}/{clock.FILE}") if other_clock else {}
        env = {**(env or {}), **clock_env}
        yield Sandbox(root=root, log=log, dev=dev, tmp=tmp, env=env, max_file_bytes=max_file_bytes)
    finally:
        syscalls.unmount(str(root), syscalls.MNT_DETACH)


def _mount_points(root: Path, paths: Sequence[str]) -> list[Path]:
    """Return each directory of a tree with all links resolved; create missing ones."""
    return [root / place.lstrip("/") for place in child.inside(root, _create_directories, paths)]


def _create_directories(_root: Path, paths: Sequence[str]) -> list[str]:
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


def _mount_files(files: Mapping[str, Path], at: Path) -> None:
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
