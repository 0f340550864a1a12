"""/proc for programs of a tree. It shows their own processes, and as much about the kernel as in a container.

* Files at the top of /proc that only root may read are about the host's kernel. All of them are hidden, because in a
  build by root, root has the same id as on the host. The files that runc(1) hides are hidden as well.
* Process 1 belongs to the build, and its arguments are those of the command line. Another directory hides it. There,
  `root` is not /, from which ischroot(1), systemctl(1), udevadm(8) and systemd-detect-virt(1) detect that they run in
  a chroot.
* All other writable files, except those of the processes themselves, are read-only.
"""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from oic.process import syscalls

if TYPE_CHECKING:
    from pathlib import Path

_FLAGS = syscalls.MS_NOSUID | syscalls.MS_NODEV | syscalls.MS_NOEXEC
_HIDDEN = {
    *("acpi", "asound", "cmdline", "interrupts", "key-users", "keys", "latency_stats", "sched_debug", "scsi", "swaps"),
}
_FIRST_PROCESS = {"cgroup": "0::/\n", "cmdline": "", "comm": "init\n", "environ": "", "mountinfo": "", "mounts": ""}


def mount_proc(at: Path) -> None:
    """Mount /proc at a directory; must be called in the pid namespace of the programs."""
    syscalls.mount("proc", str(at), "proc", _FLAGS)
    # 0 forbids nested user namespaces, in which a program would get the dropped capabilities back.
    (at / "sys/user/max_user_namespaces").write_text("0", encoding="ascii")
    for entry in sorted(at.iterdir()):
        _hide(entry)
    _hide_first_process(at / "1")


def _hide(entry: Path) -> None:
    mode = entry.lstat().st_mode
    hidden = entry.name in _HIDDEN or not mode & 0o004
    if stat.S_ISREG(mode):
        if hidden:
            syscalls.bind_read_only("/dev/null", str(entry))
        elif mode & 0o222:
            syscalls.bind_read_only(str(entry), str(entry))
    elif stat.S_ISDIR(mode) and not entry.name.isdigit():
        if hidden:
            syscalls.mount("tmpfs", str(entry), "tmpfs", _FLAGS | syscalls.MS_RDONLY, "size=4k,mode=555")
        else:
            syscalls.bind_read_only(str(entry), str(entry))


def _hide_first_process(at: Path) -> None:
    syscalls.mount("tmpfs", str(at), "tmpfs", _FLAGS, "size=64k,mode=555")
    (at / "root").mkdir(mode=0o555)
    for name, text in _FIRST_PROCESS.items():
        (at / name).write_text(text, encoding="ascii")
    syscalls.mount("", str(at), flags=syscalls.MS_REMOUNT | syscalls.MS_BIND | syscalls.MS_RDONLY | _FLAGS)
