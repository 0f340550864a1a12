"""Linux system calls that Python 3.11 does not offer; each raises OSError with the name of the call.

They are unshare(2), mount(2), umount2(2), pivot_root(2), mount_setattr(2), keyctl(2), prctl(2) and sethostname(2),
called in the C library through ctypes.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import select
import signal
import socket
import struct

CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_RDONLY = 1
MS_NOSUID = 2
MS_NODEV = 4
MS_NOEXEC = 8
MS_REMOUNT = 32
MS_BIND = 4096
MS_REC = 16384
MS_PRIVATE = 1 << 18

_MS_RELATIME = 1 << 21

MNT_DETACH = 2

_PR_SET_PDEATHSIG = 1
_PR_CAPBSET_DROP = 24
_PR_SET_SECCOMP = 22
_SECCOMP_MODE_FILTER = 2
_SYS_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
_SYS_KEYCTL = {"x86_64": 250, "aarch64": 219}
_SYS_MOUNT_SETATTR = 442  # the same on every architecture
_MOUNT_ATTR_RDONLY = 1
_MOUNT_ATTR_NODEV = 4
_AT_FDCWD = -100
_AT_RECURSIVE = 0x8000
_KEYCTL_JOIN_SESSION_KEYRING = 1
MACHINES = tuple(_SYS_PIVOT_ROOT)

_libc = ctypes.CDLL(None, use_errno=True)


def _checked(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def unshare(flags: int) -> None:
    """Move this process into new namespaces; a new pid namespace applies to its children only."""
    _checked(_libc.unshare(ctypes.c_int(flags)), "unshare")


def mount(source: str, target: str, kind: str = "", flags: int = 0, options: str = "") -> None:
    """Mount `source` on `target`."""
    result = _libc.mount(
        os.fsencode(source),
        os.fsencode(target),
        kind.encode() if kind else None,
        ctypes.c_ulong(flags),
        os.fsencode(options) if options else None,
    )
    _checked(result, f"mount {kind or 'bind'} on {target}")


def bind_read_only(source: str, target: str) -> None:
    """Bind-mount a file or directory read-only on `target`, which must exist.

    The remount must keep the restrictions of the underlying mount (mount_namespaces(7), locked mounts).
    """
    mount(source, target, flags=MS_BIND)
    below = os.statvfs(target).f_flag
    kept = below & (MS_NOSUID | MS_NODEV | MS_NOEXEC | os.ST_NOATIME | os.ST_NODIRATIME)
    relative = _MS_RELATIME if below & os.ST_RELATIME else 0
    mount("", target, flags=MS_BIND | MS_REMOUNT | MS_RDONLY | kept | relative)


def make_read_only(target: str) -> None:
    """Make the mount at `target` and all mounts below it read-only and nodev (Linux 5.12).

    Without nodev, devices could still be written: read-only does not apply to them.
    """
    _set_attributes(target, set_=_MOUNT_ATTR_RDONLY | _MOUNT_ATTR_NODEV, clear=0, flags=_AT_RECURSIVE)


def make_writable(target: str) -> None:
    """Make the single mount at `target` writable again after `make_read_only` in the same namespace."""
    _set_attributes(target, set_=0, clear=_MOUNT_ATTR_RDONLY, flags=0)


def make_device_usable(target: str) -> None:
    """Remove nodev from the mount at `target`, a single device node; the mount stays read-only."""
    _set_attributes(target, set_=0, clear=_MOUNT_ATTR_NODEV, flags=0)


def _set_attributes(target: str, *, set_: int, clear: int, flags: int) -> None:
    attributes = struct.pack("QQQQ", set_, clear, 0, 0)  # struct mount_attr, the first version
    result = _libc.syscall(
        ctypes.c_long(_SYS_MOUNT_SETATTR),
        ctypes.c_int(_AT_FDCWD),
        os.fsencode(target),
        ctypes.c_uint(flags),
        attributes,
        ctypes.c_size_t(len(attributes)),
    )
    _checked(result, f"mount_setattr {target}")


def unmount(target: str, flags: int = 0) -> None:
    """Unmount `target`; with `MNT_DETACH` even if it is busy."""
    _checked(_libc.umount2(os.fsencode(target), ctypes.c_int(flags)), f"umount {target}")


def pivot_root(new_root: str) -> None:
    """Make the mount at `new_root` the root of this namespace and unmount the old root."""
    os.chdir(new_root)
    number = _SYS_PIVOT_ROOT[os.uname().machine]
    _checked(_libc.syscall(ctypes.c_long(number), b".", b"."), "pivot_root")
    unmount(".", MNT_DETACH)
    os.chdir("/")


def die_with_parent(pipe: int) -> None:
    """Have the kernel kill this process when its parent ends; exit now if nobody reads `pipe`: the parent has ended."""
    _checked(_libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "prctl")
    poll = select.poll()
    poll.register(pipe, 0)
    if poll.poll(0):
        os._exit(1)


def die_with(parent: int) -> None:
    """Have the kernel kill this process when the process `parent` ends; exit now if it has ended."""
    _checked(_libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "prctl")
    if os.getppid() != parent:
        os._exit(1)


def drop_from_bounding_set(capabilities: tuple[int, ...]) -> None:
    """Remove capabilities from everything that this process executes from now on (capabilities(7))."""
    for capability in capabilities:
        _checked(_libc.prctl(_PR_CAPBSET_DROP, ctypes.c_ulong(capability), 0, 0, 0), "prctl")


def leave_session_keyring() -> None:
    """Join a new, empty session keyring (keyctl(2)): the user's may hold Kerberos tickets and file system keys."""
    number = _SYS_KEYCTL[os.uname().machine]
    result = _libc.syscall(ctypes.c_long(number), ctypes.c_int(_KEYCTL_JOIN_SESSION_KEYRING), None)
    if result < 0 and ctypes.get_errno() != errno.ENOSYS:  # this kernel has no keyrings
        _checked(-1, "keyctl")


def filter_system_calls(program: bytes) -> None:
    """Install a seccomp(2) filter, an array of ``struct sock_filter``, for this thread and everything it executes.

    ``no_new_privs`` is not set, because it would disable set-user-id programs; CAP_SYS_ADMIN is needed instead.
    """
    code = ctypes.create_string_buffer(program, len(program))

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))

    whole = Program(len(program) // 8, ctypes.addressof(code))
    _checked(_libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(whole), 0, 0), "seccomp")


def raise_loopback() -> None:
    """Bring up ``lo`` of this network namespace: netdevice(7), SIOCGIFFLAGS and SIOCSIFFLAGS on a struct ifreq."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as any_socket:
        request = fcntl.ioctl(any_socket, 0x8913, struct.pack("16sH14x", b"lo", 0))
        flags = struct.unpack("16sH14x", request)[1]
        fcntl.ioctl(any_socket, 0x8914, struct.pack("16sH14x", b"lo", flags | 1))


def set_host_name(name: str) -> None:
    """Set the host name of this uts namespace."""
    _checked(_libc.sethostname(name.encode(), ctypes.c_size_t(len(name))), "sethostname")
