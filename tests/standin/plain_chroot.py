"""Installs packages with the host's rpm into a plain chroot without a sandbox, as dnf does with --installroot.

User, mount and pid namespaces protect the host; inside them, root has every capability.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from oic.chroot import namespace
from oic.chroot.tree import facts_of, walk
from oic.process import syscalls

if TYPE_CHECKING:
    from collections.abc import Sequence

    from oic.chroot.tree import Facts

_PR_SET_DUMPABLE = 4
_KERNELS_OWN = ("proc", "dev", "sys")
_DEVICES = {"fd": "/proc/self/fd", "stdin": "fd/0", "stdout": "fd/1", "stderr": "fd/2", "ptmx": "pts/ptmx"}
_DEFINED = {
    "_dbpath": "/var/lib/rpm",
    "_db_backend": "sqlite",
    # an ordinary user cannot change their owners
    "_netsharedpath": ":".join(f"/{name}" for name in _KERNELS_OWN),
}


def install(files: Sequence[Path], place: Path, epoch: int) -> str:
    """Install package files into the empty directory ``place/tree``; return the output of rpm."""
    (place / "tree").mkdir(parents=True)
    namespace.call(_install, files, place, epoch, writes=[place])
    return (place / "log").read_text("utf-8", "replace")


def _install(files: Sequence[Path], place: Path, epoch: int) -> None:
    root = place / "tree"
    # systemctl compares its root with that of process 1, this one; after the change of ids it could not be read
    ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 1, 0, 0, 0)
    for name, mode in (("proc", 0o555), ("dev", 0o755)):
        (root / name).mkdir(mode=mode)
    syscalls.mount("proc", str(root / "proc"), "proc")
    _mount_dev(root / "dev")
    defined = [word for name, value in _DEFINED.items() for word in ("--define", f"{name} {value}")]
    options = ["--install", "--verbose", "--nosignature", "--noplugins", *defined]
    argv = ["rpm", "--root", str(root), *options, *map(str, files)]
    # sqlite's temporary files would be in the host's /var/tmp, which is read-only here
    temporary = {"SQLITE_TMPDIR": str(place)}
    env = {"PATH": os.defpath, "HOME": "/root", "LC_ALL": "C", "SOURCE_DATE_EPOCH": str(epoch), **temporary}
    with (place / "log").open("wb") as log:
        # a failure of rpm is one of the results to compare
        subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env, check=False)


def _mount_dev(dev: Path) -> None:
    syscalls.mount("tmpfs", str(dev), "tmpfs", options="mode=755")
    for name in namespace.DEVICES:
        (dev / name).touch()
        syscalls.mount(f"/dev/{name}", str(dev / name), flags=syscalls.MS_BIND)
    for name, target in _DEVICES.items():
        (dev / name).symlink_to(target)
    for name in ("pts", "shm"):
        (dev / name).mkdir()
    syscalls.mount("devpts", str(dev / "pts"), "devpts", options="newinstance,ptmxmode=0666")
    syscalls.mount("tmpfs", str(dev / "shm"), "tmpfs", options="mode=1777")


def capabilities() -> str:
    """Return the capabilities that programs of the plain chroot can have, as proc(5) shows the bounding set."""
    return namespace.call(_capabilities)


def _capabilities() -> str:
    return Path("/proc/self/status").read_text().partition("CapBnd:\t")[2].partition("\n")[0]


def content_of(root: Path) -> dict[str, Facts]:
    """Return the facts of each entry of a tree, with the owners as seen in the namespace."""
    return namespace.call(_content_of, root)


def _content_of(root: Path) -> dict[str, Facts]:
    return {path: facts_of(root / path, status) for path, status in walk(root)}
