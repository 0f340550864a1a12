"""The system calls that no program of a tree may make: a seccomp(2) filter in classic BPF.

* Denied are ways to what namespaces and capabilities do not keep apart: kernel keyrings, io_uring (which no filter sees
  into), userfaultfd, bpf, perf, and sockets of any family but those named, vsock for one, which reaches a virtual
  machine's host. They fail as on a kernel that does not have them, so programs take their other way.
* The list is of what is denied, not of what is allowed: a package's script may be any program, and the kernel's own
  checks stand behind it.
* Every architecture's calls that the machine runs have the same filter; the x32 ones are none.

By hand rather than by libseccomp: the program is some thirty instructions, and a user of a virtual environment would
have to have the host's library of the right version. The numbers are those of the kernel's syscall tables.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from dataclasses import dataclass

_LOAD, _JUMP_IF_EQUAL, _JUMP_IF_AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16
"""Offsets in ``struct seccomp_data``; of an argument, which has 64 bits, the lower half on a little-endian machine."""
_X32 = 0x40000000

FAMILIES = (socket.AF_UNIX, socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK, socket.AF_ALG)
"""Of what a program may make sockets: other programs of its own, and the kernel's routing, audit and ciphers."""
_IO_URING = (425, 426, 427)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Calls:
    """An architecture's AUDIT_ARCH number and calls: those `denied`, ``socket`` and, where there is one, socketcall."""

    architecture: int
    denied: tuple[int, ...]
    socket: int
    socketcall: int = -1


# denied: add_key, request_key, keyctl, perf_event_open, bpf, userfaultfd
_X86_64 = _Calls(architecture=0xC000003E, denied=(248, 249, 250, 298, 321, 323), socket=41)
_I386 = _Calls(architecture=0x40000003, denied=(286, 287, 288, 336, 357, 374), socket=359, socketcall=102)
_AARCH64 = _Calls(architecture=0xC00000B7, denied=(217, 218, 219, 241, 280, 282), socket=198)
_ARM = _Calls(architecture=0x40000028, denied=(309, 310, 311, 364, 386, 388), socket=281)
_MACHINES = {"x86_64": (_X86_64, _I386), "aarch64": (_AARCH64, _ARM)}


def program() -> bytes:
    """Return the filter for this machine."""
    lines = [_instruction(_LOAD, _ARCHITECTURE)]
    for calls in _MACHINES[os.uname().machine]:
        body = _judged(calls)
        # A jump is of 8 bits; a body is shorter than that by far.
        lines += [_instruction(_JUMP_IF_EQUAL, calls.architecture, otherwise=len(body)), *body]
    return b"".join([*lines, _denied(errno.ENOSYS)])


def _judged(calls: _Calls) -> list[bytes]:
    """Return the part for one architecture; it always returns."""
    body = [
        _instruction(_LOAD, _NUMBER),
        *_unless(_JUMP_IF_AT_LEAST, _X32, [_denied(errno.ENOSYS)]),
    ]
    for number in (*calls.denied, *_IO_URING):
        body += _unless(_JUMP_IF_EQUAL, number, [_denied(errno.ENOSYS)])
    allowed = _instruction(_RETURN, _ALLOW)
    families = [line for family in FAMILIES for line in _unless(_JUMP_IF_EQUAL, family, [allowed])]
    choice = [_instruction(_LOAD, _FIRST_ARGUMENT), *families, _denied(errno.EAFNOSUPPORT)]
    body += _unless(_JUMP_IF_EQUAL, calls.socket, choice)
    if calls.socketcall >= 0:  # its arguments are in memory, where a filter cannot look: socket(2) is call 1
        made = _unless(_JUMP_IF_EQUAL, 1, [_denied(errno.ENOSYS)])
        body += _unless(_JUMP_IF_EQUAL, calls.socketcall, [_instruction(_LOAD, _FIRST_ARGUMENT), *made, allowed])
    return [*body, allowed]


def _unless(test: int, value: int, then: list[bytes]) -> list[bytes]:
    """Return instructions that skip `then` where the test of the loaded word fails."""
    return [_instruction(test, value, otherwise=len(then)), *then]


def _denied(number: int) -> bytes:
    return _instruction(_RETURN, _ERRNO | number)


def _instruction(code: int, value: int, *, otherwise: int = 0) -> bytes:
    """Return a ``struct sock_filter`` that goes on with the next one if its test holds, else skips `otherwise`."""
    return struct.pack("HBBI", code, 0, otherwise, value)
