"""Runs a function as root in new user, mount, pid, network, ipc and uts namespaces.

::

    caller ──fork── A: unshare, wait for the id map ──fork── B: pid 1, own /proc, runs the function

* The same code serves root and an ordinary user; only the id map differs.
* Mounts made inside are not visible outside. When the caller dies, everything inside is killed: A and B die with their
  parents, and the kernel kills a pid namespace when its process 1 ends.
* The network namespace has only a loopback, which is down.
* The host's files are read-only inside, for root as well, except for the paths that the caller names. A path in a
  package, or a script, that leads out of the tree can therefore change nothing.
* The session keyring is empty.
"""

from __future__ import annotations

import errno
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from oic.chroot import idmap
from oic.errors import OicError, ToolError
from oic.process import child, syscalls
from oic.process.host import disk_error, is_full_disk
from oic.process.run import run

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Result = TypeVar("Result")

_HELPER_TIMEOUT = 60.0
"""In seconds. OIC_PROGRAM_TIMEOUT does not apply here: newuidmap is not a workload."""

_NAMESPACES = (
    syscalls.CLONE_NEWUSER
    | syscalls.CLONE_NEWNS
    | syscalls.CLONE_NEWPID
    | syscalls.CLONE_NEWIPC
    | syscalls.CLONE_NEWUTS
)


def call(function: Callable[..., Result], *args: object, writes: Sequence[Path] = (), network: bool = False) -> Result:
    """Run ``function(*args)`` inside and return its result or raise its error.

    Raises OicError where the kernel does not allow namespaces. `writes` are the existing files and directories of the
    host that can be written inside; the rest is read-only.
    """
    _check_host()
    ids = idmap.current()
    ready_reader, ready_writer = os.pipe()
    mapped_reader, mapped_writer = os.pipe()
    flags = _NAMESPACES if network else _NAMESPACES | syscalls.CLONE_NEWNET
    pipes = (ready_writer, mapped_reader, mapped_writer)
    unshared: child.Child[Result] = child.start(_unshared, pipes, flags, writes, function, args)
    os.close(ready_writer)
    os.close(mapped_reader)
    try:
        if os.read(ready_reader, 1):
            _map_ids(ids, unshared.pid)
            os.write(mapped_writer, b"1")
    finally:
        os.close(mapped_writer)
        os.close(ready_reader)
    try:
        return unshared.result()
    except OSError as error:
        if writes and is_full_disk(error):  # measured before anything is removed
            raise disk_error(error, writes[0]) from error
        raise


def _check_host() -> None:
    host = os.uname()
    if host.sysname != "Linux" or host.machine not in syscalls.MACHINES:
        expected = " or ".join(syscalls.MACHINES)
        raise OicError(f"expected a Linux host on {expected}, found {host.sysname} on {host.machine}")


def _map_ids(ids: idmap.IdMap, pid: int) -> None:
    """Set the id map of process `pid`, which has just entered a new user namespace."""
    for kind, ranges in (("uid", ids.uids), ("gid", ids.gids)):
        if ids.by_helper:
            words = [str(number) for line in ranges for number in line]
            try:
                run([f"new{kind}map", str(pid), *words], timeout=_HELPER_TIMEOUT)
            except ToolError as error:
                reason = " ".join(error.message.split())
                raise OicError(f"this user's sub-{kind}s were refused: {reason}", hint=idmap.hint()) from error
        else:
            lines = "".join(f"{inside} {outside} {count}\n" for inside, outside, count in ranges)
            Path(f"/proc/{pid}/{kind}_map").write_text(lines, encoding="ascii")


def _unshared(
    pipes: tuple[int, int, int],
    flags: int,
    writes: Sequence[Path],
    function: Callable[..., Any],
    args: tuple[object, ...],
) -> Any:
    ready, mapped, mapped_writer = pipes
    os.close(mapped_writer)
    try:
        syscalls.unshare(flags)
    except OSError as error:
        raise _refused(error) from error
    os.write(ready, b"1")
    os.close(ready)
    if not os.read(mapped, 1):
        raise OicError("could not set the id map of the build's user namespace")
    os.close(mapped)
    syscalls.leave_session_keyring()
    os.setgroups([])
    os.setresgid(0, 0, 0)
    os.setresuid(0, 0, 0)
    return child.start(_as_init, writes, function, args).result()


def _as_init(writes: Sequence[Path], function: Callable[..., Any], args: tuple[object, ...]) -> Any:
    _reset_signal_handlers()
    syscalls.mount("none", "/", flags=syscalls.MS_REC | syscalls.MS_PRIVATE)
    make_host_read_only(writes)
    syscalls.mount("proc", "/proc", "proc", syscalls.MS_NOSUID | syscalls.MS_NODEV | syscalls.MS_NOEXEC)
    syscalls.set_host_name("localhost")
    _limit_processes()
    os.umask(0o022)
    return function(*args)


_UNCHANGED_SIGNALS = {signal.SIGKILL, signal.SIGSTOP, signal.SIGPIPE, signal.SIGXFSZ}
"""The first two cannot be handled; Python ignores the others, so that system calls fail instead."""


def _reset_signal_handlers() -> None:
    """Remove all signal handlers: from inside its namespace, process 1 receives only signals that it handles.

    No program inside can end the build that way. When the user stops the build, the parent kills this process.
    """
    for number in signal.valid_signals() - _UNCHANGED_SIGNALS:
        signal.signal(number, signal.SIG_DFL)


DEVICES = ("full", "null", "random", "tty", "urandom", "zero")
"""The device nodes of the host that work inside."""


def make_host_read_only(writes: Sequence[Path]) -> None:
    """Make every mount of this namespace read-only except `writes`, and every device unusable except `DEVICES`."""
    devices = [f"/dev/{name}" for name in DEVICES]
    for at in (*map(str, writes), *devices):
        syscalls.mount(at, at, flags=syscalls.MS_BIND)
    try:
        syscalls.make_read_only("/")
    except OSError as error:
        if error.errno != errno.ENOSYS:
            raise
        raise OicError("expected Linux 5.12 or newer, which has mount_setattr(2)") from error
    for place in writes:
        syscalls.make_writable(str(place))
    for device in devices:
        syscalls.make_device_usable(device)


MAX_PROCESSES = 8192


def _limit_processes() -> None:
    """Limit the number of processes, on Linux 6.14 or newer: before, a pid namespace has no limit of its own."""
    release = tuple(int(word) for word in os.uname().release.split("-")[0].split(".")[:2] if word.isdigit())
    if release >= (6, 14):
        Path("/proc/sys/kernel/pid_max").write_text(str(MAX_PROCESSES), encoding="ascii")


def _refused(error: OSError) -> OicError:
    if error.errno in (errno.EPERM, errno.ENOSPC, errno.EINVAL):
        return OicError(
            f"this kernel does not allow the build to create namespaces: {error.strerror}",
            hint="sysctl user.max_user_namespaces must be > 0, kernel.unprivileged_userns_clone 1, "
            "kernel.apparmor_restrict_unprivileged_userns 0; or build as root",
        )
    return OicError(f"namespaces: {error.strerror}")
