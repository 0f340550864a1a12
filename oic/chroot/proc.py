"""/proc as the programs of a tree see it: their own processes, and of the kernel what container runtimes show as well.

* What only root may read is of the host's kernel, and root's own number is the host's when root builds: each such file
  at the top of /proc is covered, whatever its name, and so are those that runc(1) names.
* Process 1 is the builder's: its arguments hold the words of the command line. An empty stand-in covers it. Its `root`
  is another directory than /, which is how ischroot(1), systemctl(1), udevadm(8) and systemd-detect-virt(1) find out
  that they are in a chroot.
* What can be written, but for the processes' own files, is read-only.
"""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from oic.process import syscalls

if TYPE_CHECKING:
    from pathlib import Path

_FLAGS = syscalls.MS_NOSUID | syscalls.MS_NODEV | syscalls.MS_NOEXEC
_COVERED = {
    *("acpi", "asound", "cmdline", "interrupts", "key-users", "keys", "latency_stats", "sched_debug", "scsi", "swaps"),
}
_FIRST_PROCESS = {"cgroup": "0::/\n", "cmdline": "", "comm": "init\n", "environ": "", "mountinfo": "", "mounts": ""}


def mount_proc(at: Path) -> None:
    """Mount /proc at a directory, in the namespace of the processes that it is to show."""
    syscalls.mount("proc", str(at), "proc", _FLAGS)
    # Writing 0 here denies nested user namespaces, and with them any way back to the capabilities that are dropped.
    (at / "sys/user/max_user_namespaces").write_text("0", encoding="ascii")
    for entry in sorted(at.iterdir()):
        _cover(entry)
    _cover_first_process(at / "1")


def _cover(entry: Path) -> None:
    mode = entry.lstat().st_mode
    covered = entry.name in _COVERED or not mode & 0o004
    if stat.S_ISREG(mode):
        if covered:
            syscalls.bind_read_only("/dev/null", str(entry))
        elif mode & 0o222:
            syscalls.bind_read_only(str(entry), str(entry))
    elif stat.S_ISDIR(mode) and not entry.name.isdigit():
        if covered:
            syscalls.mount("tmpfs", str(entry), "tmpfs", _FLAGS | syscalls.MS_RDONLY, "size=4k,mode=555")
        else:
            syscalls.bind_read_only(str(entry), str(entry))


def _cover_first_process(at: Path) -> None:
    syscalls.mount("tmpfs", str(at), "tmpfs", _FLAGS, "size=64k,mode=555")
    (at / "root").mkdir(mode=0o555)
    for name, text in _FIRST_PROCESS.items():
        (at / name).write_text(text, encoding="ascii")
    syscalls.mount("", str(at), flags=syscalls.MS_REMOUNT | syscalls.MS_BIND | syscalls.MS_RDONLY | _FLAGS)
