"""A root directory in which programs of an image or of its build environment run.

* Everything happens inside `oic.chroot.namespace.call`: mounts are private and die with it.
* A program gets the tree as its root by pivot_root; nothing of the host is left to reach.
* /dev is a tmpfs with six of the host's nodes bound into it; /proc is the namespace's own, /proc/sys read-only; /tmp
  is a tmpfs; there is no /sys and no network but a loopback of the program's own.
* A program has no capability to mount, to trace or to reconfigure the kernel, and cannot make a namespace to get one.
"""

from __future__ import annotations

import functools
import os
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from oic.chroot import kernel
from oic.run import run

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from oic.run import Output

_NODES = ("full", "null", "random", "tty", "urandom", "zero")
_LINKS = {"fd": "/proc/self/fd", "stdin": "fd/0", "stdout": "fd/1", "stderr": "fd/2", "ptmx": "pts/ptmx"}

# capabilities(7), by number: all but those that a package's scripts use to own, mode and switch to what they install.
_KEPT = {0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 18, 27, 29, 31}
_DROPPED = tuple(number for number in range(41) if number not in _KEPT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sandbox:
    """A mounted root and the log its programs write to."""

    root: Path
    log: Path
    env: Mapping[str, str] = field(default_factory=dict)

    def run(  # noqa: PLR0913 - what `oic.run.run` can do, but for what the tree decides
        self,
        argv: Sequence[str],
        *,
        stdin: str = "",
        env: Mapping[str, str] | None = None,
        capture: bool = True,
        network: bool = False,
        whole: bool = False,
    ) -> Output:
        """Run a program of the tree in the tree; raises ToolError (`whole` as in `oic.run.run`).

        `network` leaves it the network of the namespace around it, which has one only if that was asked for.
        """
        merged = {**self.env, **(env or {})}
        enter = functools.partial(self._enter, network=network)
        return run(argv, log=self.log, stdin=stdin, env=merged, capture=capture, enter=enter, whole=whole)

    def show(self, file: Path, inside: str) -> str:
        """Show a file of the host to programs, read-only, under /tmp; return its path inside."""
        place = self.root / "tmp" / inside
        place.touch()
        kernel.bind_read_only(str(file), str(place))
        return f"/tmp/{inside}"  # noqa: S108 - a private tmpfs

    def _enter(self, *, network: bool) -> None:
        kernel.unshare(kernel.CLONE_NEWNS if network else kernel.CLONE_NEWNS | kernel.CLONE_NEWNET)
        if not network:  # a loopback is no network: postfix's postinst, for one, does not go without
            kernel.raise_loopback()
        kernel.pivot_root(str(self.root))
        kernel.drop_from_bounding_set(_DROPPED)


@contextmanager
def opened(
    root: Path, log: Path, *, env: Mapping[str, str] | None = None, visible: Sequence[Path] = ()
) -> Iterator[Sandbox]:
    """Make a directory ready to run programs in; `visible` directories appear inside under their own paths."""
    kernel.mount(str(root), str(root), flags=kernel.MS_BIND | kernel.MS_REC)
    mounted = [root]
    try:
        for mount in (_mount_proc, _mount_dev, _mount_tmp):
            mount(root)
        for directory in visible:
            inside = root / directory.relative_to("/")
            inside.mkdir(parents=True, exist_ok=True)
            kernel.mount(str(directory), str(inside), flags=kernel.MS_BIND)
        yield Sandbox(root=root, log=log, env=env or {})
    finally:
        for path in mounted:
            kernel.unmount(str(path), kernel.MNT_DETACH)


def _mount_proc(root: Path) -> None:
    proc = root / "proc"
    proc.mkdir(exist_ok=True)
    flags = kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC
    kernel.mount("proc", str(proc), "proc", flags)
    # Writing 0 here denies nested user namespaces, and with them any way back to the capabilities dropped below.
    (proc / "sys/user/max_user_namespaces").write_text("0", encoding="ascii")
    for name in ("sys", "sysrq-trigger", "irq", "bus"):
        path = proc / name
        if path.exists():
            kernel.mount(str(path), str(path), flags=kernel.MS_BIND)
            kernel.mount("", str(path), flags=kernel.MS_BIND | kernel.MS_REMOUNT | kernel.MS_RDONLY | flags)
    kernel.mount("/dev/null", str(proc / "swaps"), flags=kernel.MS_BIND)
    kernel.mount("/dev/null", str(proc / "cmdline"), flags=kernel.MS_BIND)


def _mount_dev(root: Path) -> None:
    dev = root / "dev"
    dev.mkdir(exist_ok=True)
    kernel.mount("tmpfs", str(dev), "tmpfs", kernel.MS_NOSUID | kernel.MS_NOEXEC, "mode=755")
    for name in _NODES:
        (dev / name).touch()
        kernel.mount(f"/dev/{name}", str(dev / name), flags=kernel.MS_BIND)
    for name, target in _LINKS.items():
        (dev / name).symlink_to(target)
    for name in ("pts", "shm"):
        (dev / name).mkdir()
    kernel.mount("devpts", str(dev / "pts"), "devpts", kernel.MS_NOSUID | kernel.MS_NOEXEC, "newinstance,ptmxmode=0666")
    kernel.mount("tmpfs", str(dev / "shm"), "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, "mode=1777")


def _mount_tmp(root: Path) -> None:
    tmp = root / "tmp"
    if not os.path.lexists(tmp):
        tmp.mkdir()
    kernel.mount("tmpfs", str(tmp), "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, "mode=1777")
