"""What an attack is, and the defences that can be switched off to see that it would succeed.

* No attack harms a machine on which it succeeds: files of the kernel are opened for writing and not written, calls get
  arguments that the kernel refuses after it has looked at the caller's rights.
* An attack that finds the same with our defences off is the kernel's to stop; it says by what.
"""

from __future__ import annotations

import contextlib
import os
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oic.chroot import namespace, proc, resolver, sandbox, seccomp
from oic.process import child, syscalls

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FILTER, PROC, NODES, WALL, CAPABILITIES = "filter", "proc", "nodes", "wall", "capabilities"
PIVOT, PIPES, NETWORK, SIGNALS, KEYRING = "pivot", "pipes", "network", "signals", "keyring"
INSIDE, MOUNTS, ENDING, RESOLVER, PROCESSES = "inside", "mounts", "ending", "resolver", "processes"
CANARY = "/the/canary/of/the/host"
"""Stands in scripts for a file of the host that everybody may read."""


@dataclass(frozen=True, kw_only=True)
class Attack:
    """A script; what it prints matches `finds`, and `without` when the defences `by` are switched off.

    Where `by` is empty, `kernel` says what stops it whatever this project does.
    """

    name: str
    script: str
    finds: str
    by: tuple[str, ...] = ()
    without: str = ""
    kernel: str = ""


def stopped_by(by: str | tuple[str, ...], finds: str, without: str, **scripts: str) -> list[Attack]:
    """Return attacks that the same defences stop in the same words."""
    defences = (by,) if isinstance(by, str) else by
    return [
        Attack(name=name.replace("_", "-"), script=script, finds=finds, by=defences, without=without)
        for name, script in scripts.items()
    ]


def stopped_by_kernel(why: str, finds: str, **scripts: str) -> list[Attack]:
    """Return attacks that the kernel stops, and why."""
    return [
        Attack(name=name.replace("_", "-"), script=script, finds=finds, kernel=why) for name, script in scripts.items()
    ]


def switch_off(*defences: str) -> None:
    """Do without these defences from here on, in this process: only ever in a child, on the stand-in of `host`."""
    for defence in defences:
        _SWITCHES[defence]()


def _put(where: Any, name: str, value: Any) -> None:
    getattr(where, name)  # it is there to be replaced
    setattr(where, name, value)


def _plain_proc(at: Any) -> None:
    syscalls.mount("proc", str(at), "proc", syscalls.MS_NOSUID | syscalls.MS_NODEV | syscalls.MS_NOEXEC)


def _plain_bind(source: str, target: str) -> None:
    syscalls.mount(source, target, flags=syscalls.MS_BIND)


def _only_chroot(new_root: str) -> None:
    os.chroot(new_root)
    os.chdir("/")


class _Logging(subprocess.Popen[bytes]):
    """A program that holds the log itself."""

    def __init__(self, *args: Any, **words: Any) -> None:
        log = os.open(os.environ["HOSTILE_LOG"], os.O_RDWR | os.O_APPEND)
        super().__init__(*args, **{**words, "stdout": log, "stderr": subprocess.STDOUT})
        reader, writer = os.pipe()
        os.close(writer)
        self.stdout = os.fdopen(reader, "rb", 0)


def _in_the_open(root: Path, function: Callable[..., Any], *args: Any) -> Any:
    if function.__module__ == sandbox.__name__:  # asks where to mount, and for that it has to be inside
        return _INSIDE(root, function, *args)
    return function(root, *args)


_INSIDE = child.inside


def _with_its_mounts(root: Path, function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    os.chroot(root)
    os.chdir("/")
    return function(Path("/"), *args)


@contextlib.contextmanager
def _lent_itself(box: sandbox.Sandbox, host: Path = Path("/etc/resolv.conf")) -> Iterator[None]:
    inside = str(box.root / "etc/resolv.conf")
    syscalls.mount(str(host), inside, flags=syscalls.MS_BIND)
    yield
    syscalls.unmount(inside)


_ALLOW_ALL = struct.pack("HBBI", 0x06, 0, 0, 0x7FFF0000)
_SWITCHES = {
    FILTER: lambda: _put(seccomp, "program", lambda: _ALLOW_ALL),
    PROC: lambda: _put(proc, "mount_proc", _plain_proc),
    NODES: lambda: _put(syscalls, "bind_read_only", _plain_bind),
    WALL: lambda: _put(namespace, "make_host_read_only", lambda _writes: None),
    CAPABILITIES: lambda: _put(syscalls, "drop_from_bounding_set", lambda _dropped: None),
    PIVOT: lambda: _put(syscalls, "pivot_root", _only_chroot),
    PIPES: lambda: _put(subprocess, "Popen", _Logging),
    NETWORK: lambda: None,  # an argument of the run
    SIGNALS: lambda: _put(namespace, "_reset_signal_handlers", lambda: None),
    INSIDE: lambda: _put(child, "inside", _in_the_open),
    MOUNTS: lambda: _put(child, "_run_in_root", _with_its_mounts),
    ENDING: lambda: _put(child, "end_all", lambda: None),
    RESOLVER: lambda: _put(resolver, "host_resolver", _lent_itself),
    PROCESSES: lambda: _put(namespace, "_limit_processes", lambda: None),
    KEYRING: lambda: _put(syscalls, "leave_session_keyring", lambda: None),
}
