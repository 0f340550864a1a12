"""The attacks from inside, as data. `call` is the helper of call.c."""

from __future__ import annotations

import stat
from pathlib import Path

from oic.chroot.namespace import DEVICES

from .attack import (
    CANARY,
    CAPABILITIES,
    FILTER,
    NETWORK,
    NODES,
    PIPES,
    PIVOT,
    PROC,
    WALL,
    Attack,
    stopped_by,
    stopped_by_kernel,
)

_GOES = r" = \d+$"
_REFUSED_TOO = r"(EPERM|EACCES|EINVAL|E2BIG|EFAULT)$|" + _GOES
"""What the kernel itself says of a call that the filter keeps from it: the filter is there for the day when it errs."""

CALLS = [
    *stopped_by(
        FILTER,
        r"ENOSYS$",
        _GOES,
        keyctl="call keyctl 0 -3 0",
        add_key="call add_key user name payload 7 -3",
        io_uring="call io_uring_setup 4 buffer",
        userfaultfd="call userfaultfd 1",
        i386_keyctl="call int80 288 0 -3 0",
        i386_add_key="call int80 286 user name payload 7 -3",
        i386_io_uring="call int80 425 4 buffer",
        i386_userfaultfd="call int80 374 1",
    ),
    *stopped_by(
        FILTER,
        r"ENOSYS$",
        _REFUSED_TOO + r"|ENOKEY$|ENOENT$|EAFNOSUPPORT$|EOPNOTSUPP$",
        request_key="call request_key user no-such-key 0 0",
        bpf="call bpf 0 buffer 48",
        perf="call perf_event_open buffer 0 -1 -1 0",
        i386_request_key="call int80 287 user no-such-key 0 0",
        i386_bpf="call int80 357 0 buffer 48",
        i386_perf="call int80 336 buffer 0 -1 -1 0",
        i386_socketcall="call int80 102 1 buffer",
        io_uring_enter="call io_uring_enter 0 0 0 0 0 0 + io_uring_register 0 0 0 0",
    ),
    *stopped_by(FILTER, r"EAFNOSUPPORT$", _GOES, vsock="call socket 40 1 0", i386_vsock="call int80 359 40 1 0"),
    *stopped_by((FILTER, CAPABILITIES), r"EAFNOSUPPORT$", _GOES, packet_socket="call socket 17 3 0"),
    *stopped_by(CAPABILITIES, r"EPERM$", _GOES, raw_socket="call socket 2 3 1"),
    *stopped_by_kernel("this kernel has no such ABI, and the filter refuses it first", r"ENOSYS$", x32="call x32 39"),
]

NAMESPACES = [
    *stopped_by(
        CAPABILITIES,
        r"EPERM$",
        r"(EINVAL|ENOENT|EBUSY|ELOOP)$|" + _GOES,
        mount="call mount none /tmp tmpfs 0 0",
        bind="call mount / /tmp 0 4096 0",
        remount="call mount none / 0 32 0",
        make_shared="call mount none / 0 1048576 0",
        umount="call umount2 /proc/sys 2",
        move_a_mount="call mount /dev/shm /tmp 0 8192 0",
        pivot_root="call pivot_root / /tmp",
        fsopen="call fsopen tmpfs 0",
        fspick="call fspick -100 /tmp 0",
        open_tree="call open_tree -100 / 1",
        mount_setattr="call mount_setattr -100 / 0 buffer 32",
        move_mount="call move_mount -100 /dev/shm -100 /tmp 0",
        unshare_mounts="call unshare 0x00020000",
        unshare_cgroup="call unshare 0x02000000",
        unshare_uts="call unshare 0x04000000",
        unshare_ipc="call unshare 0x08000000",
        unshare_pids="call unshare 0x20000000",
        unshare_network="call unshare 0x40000000",
        unshare_time="call unshare 0x00000080",
        clone_mounts="call clone 0x00020011 0 0 0 0",
        host_name="call sethostname evil 4",
        domain_name="call setdomainname evil 4",
        reboot="call reboot 0 0 0 0",
    ),
    *stopped_by(
        CAPABILITIES, r"setns: EPERM$", r"setns = 0$", enter_mounts="call open /proc/self/ns/mnt 0 + setns @0 0"
    ),
    *stopped_by(  # rpm's scriptlets are in a chroot, which the kernel refuses first
        PROC,
        r"(ENOSPC|EPERM)$",
        r" = 0$",
        unshare_users="call unshare 0x10000000",
        unshare_users_and_mounts="call unshare 0x10020000",
    ),
    *stopped_by_kernel(
        "nobody enters the user namespace that he is in",
        r"setns: EINVAL$",
        enter_users="call open /proc/self/ns/user 0 + setns @0 0",
    ),
    *stopped_by(
        NETWORK,
        r"connect: ECONNREFUSED$",
        r"connect = 0$",
        abstract_socket="call socket 1 1 0 + connect @0 unix:oic-hostile 14",
    ),
    *stopped_by(
        PIVOT,
        r"access: ENOENT$",
        r"access = 0$",
        chroot_escape="call open / 0x10000 + mkdir /tmp/jail 0755 + chroot /tmp/jail + fchdir @0"
        + " + chdir .." * 12
        + f" + chroot . + access {CANARY} 0",
    ),
    *stopped_by_kernel(
        "the root of a namespace has no parent",
        r"No such file or directory",
        dots=f"cat /../../../../../../..{CANARY}",
        root_of_self=f"cat /proc/self/root/../..{CANARY} /proc/self/cwd/../../..{CANARY}",
    ),
]

PROCESSES = [
    *stopped_by(
        CAPABILITIES,
        r"EPERM$",
        r"EFAULT$|" + _GOES,
        ptrace="call ptrace 0x4206 1 0 0",
        pidfd_getfd="call pidfd_open 1 0 + pidfd_getfd @0 0 0",
        process_vm_readv="call process_vm_readv 1 iovec 1 iovec 1 0",
        process_vm_writev="call process_vm_writev 1 iovec 1 iovec 1 0",
    ),
    *stopped_by_kernel(
        "the owner of the mount namespace opens handles, and of the file system, which has none",
        r"open_by_handle_at: (EPERM|ESTALE|EOPNOTSUPP)$",
        open_by_handle="call open / 0 + open_by_handle_at @0 handle 0",
    ),
    *stopped_by_kernel(
        "priorities are the machine's",
        r"(EPERM|EACCES)$",
        nice="call setpriority 0 0 -5",
        real_time="call sched_setscheduler 0 1 \"$(printf '\\001')\"",
        oom_score="echo -5 > /proc/self/oom_score_adj && echo done || echo EACCES",
    ),
    *stopped_by_kernel(
        "a program starts in a session of its own, which has no terminal",
        r"(ENXIO|ENOTTY|EIO)$",
        terminal="call open /dev/tty 2",
        type_ahead="call ioctl 8 0x5412 x",
    ),
]

MACHINE = stopped_by_kernel(
    "what is the machine's asks for capabilities of the first user namespace",
    r"(EPERM|EACCES|ENOSYS)$",
    init_module="call init_module buffer 16 buffer",
    finit_module="call finit_module 0 buffer 0",
    delete_module="call delete_module no-such-module 0",
    kexec="call kexec_load 0 0 buffer 0",
    swapon="call swapon /no-such-file 0",
    swapoff="call swapoff /no-such-file",
    acct="call acct /no-such-file",
    iopl="call iopl 3",
    ioperm="call ioperm 0x80 1 1",
    kernel_log="call syslog 0 buffer 4096",
    clock="call settimeofday 0 0",
    fanotify="call fanotify_init 0x0c 0",
)

_WRITTEN = (
    *(
        "sys/kernel/core_pattern",
        "sys/kernel/panic",
        "sys/kernel/modprobe",
        "sys/kernel/hotplug",
        "sys/kernel/poweroff_cmd",
    ),
    *("sys/vm/drop_caches", "sys/vm/overcommit_memory", "sys/fs/suid_dumpable"),
    *("sysrq-trigger", "irq/default_smp_affinity", "sys/kernel/randomize_va_space"),
)
_CRY = "Read-only file system"

FILES = [
    *(
        attack
        for name in DEVICES
        for attack in stopped_by(
            (NODES, WALL),
            rf"^(\w+: .*{_CRY}\n){{2}}utimensat: EROFS$",
            r"^utimensat = 0$",
            **{f"{name}_node": f"chmod 600 /dev/{name}; chown 33:33 /dev/{name}; call utimensat -100 /dev/{name} 0 0"},
        )
    ),
    *stopped_by_kernel(
        "what something is mounted on stays",
        r"(Device or resource busy\n?)+$",
        rename_a_node="mv /dev/null /dev/other; rm /dev/full",
        remove_a_mount="rmdir /dev/pts /dev/shm",
    ),
    *stopped_by_kernel(
        "devices are made in the first user namespace",
        r"^(mknod: .*Operation not permitted\n?){3}$",
        mknod="mknod /dev/disk b 8 0; mknod /said/memory c 1 1; mknod /tmp/port c 1 4",
    ),
    *stopped_by(
        PROC,
        rf"({_CRY}|Permission denied)$",
        r"^$",
        **{name.replace("/", "_"): f": >> /proc/{name}" for name in _WRITTEN if Path("/proc", name).exists()},
    ),
    *stopped_by(PROC, r"^$", r"\w", words_of_one="cat /proc/1/cmdline", mounts_of_one="cat /proc/1/mountinfo"),
    *stopped_by(
        (PROC, CAPABILITIES),
        r"(No such file or directory|Permission denied)$",
        r"^[\w/]",
        environment_of_one="head -c 4 /proc/1/task/1/environ",
        root_of_one="ls -d /proc/1/root/etc",
        place_of_one="ls -d /proc/1/cwd/.",
        descriptors_of_one="ls /proc/1/fd",
        memory_of_one="head -c 1 /proc/1/maps",
        program_of_one="stat -L -c '%s' /proc/1/exe",
    ),
    *stopped_by(PIPES, r"^fifo\nfifo$", r"^regular ", log_is_a_pipe="stat -L -c %F /proc/self/fd/8 /proc/self/fd/9"),
    *stopped_by(PIPES, r"ESPIPE$", r"lseek = 0$", log_is_read="call lseek 9 0 0"),
    *stopped_by(PIPES, r"EINVAL$", r"ftruncate = 0$", log_is_cut="call ftruncate 9 0"),
]

_NAMED = ("acpi", "cmdline", "interrupts", "key-users", "keys", "sched_debug", "swaps")


def _hidden() -> list[str]:
    """Return the files of this kernel's /proc that others may not read, and those that are hidden by name."""
    entries = {entry.name: entry.lstat().st_mode for entry in Path("/proc").iterdir() if not entry.name.isdigit()}
    return sorted(name for name, mode in entries.items() if stat.S_ISREG(mode) and (name in _NAMED or not mode & 0o004))


HIDDEN = [
    attack
    for name in _hidden()
    for attack in stopped_by(PROC, r"^1:3$", r"^0:0$", **{f"hidden_{name}": f"stat -c %t:%T /proc/{name}"})
]

ATTACKS: list[Attack] = [*CALLS, *NAMESPACES, *PROCESSES, *MACHINE, *FILES, *HIDDEN]
"""Of the whole table; what ends or outlives a script has tests of its own."""
