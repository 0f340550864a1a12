"""A seccomp(2) filter, in classic BPF, that denies system calls to the programs of a tree.

* It denies what namespaces and capabilities do not isolate: kernel keyrings, io_uring (whose operations no filter
  sees), userfaultfd, bpf, perf, and sockets of other families than those listed, for example vsock, which reaches the
  host of a virtual machine. The calls fail as on a kernel without them, so programs use their fallbacks.
* It lists what is denied, not what is allowed: a script may run any program, and the kernel still checks permissions.
* The calls of every architecture that the machine can run are filtered alike; all x32 calls are denied.

It is assembled here rather than by libseccomp, because it has only some thirty instructions, and because the host
would need the right version of that library. The numbers are from the kernel's syscall tables.
"""

from __future__ import annotations

import errno
import os
import socket
import struct

from oic.values import Value

_LOAD, _JUMP_IF_EQUAL, _JUMP_IF_AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16
"""Offsets in ``struct seccomp_data``; for an argument, of its lower 32 bits on a little-endian machine."""
_X32 = 0x40000000

FAMILIES = (socket.AF_UNIX, socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK, socket.AF_ALG)
"""The families of sockets that a program may create; the last two talk to the kernel (routing, audit, ciphers)."""
_IO_URING = (425, 426, 427)


class _Calls(Value):
    """An architecture's AUDIT_ARCH number, and its numbers of `denied` calls, ``socket`` and ``socketcall``."""

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
        body = _filter_of(calls)
        # The jump offset has 8 bits, and a body is far shorter than that.
        lines += [_instruction(_JUMP_IF_EQUAL, calls.architecture, otherwise=len(body)), *body]
    return b"".join([*lines, _denied(errno.ENOSYS)])


def _filter_of(calls: _Calls) -> list[bytes]:
    """Return the instructions for one architecture; every path through them ends in a return instruction."""
    body = [
        _instruction(_LOAD, _NUMBER),
        *_if(_JUMP_IF_AT_LEAST, _X32, [_denied(errno.ENOSYS)]),
    ]
    for number in (*calls.denied, *_IO_URING):
        body += _if(_JUMP_IF_EQUAL, number, [_denied(errno.ENOSYS)])
    allowed = _instruction(_RETURN, _ALLOW)
    families = [line for family in FAMILIES for line in _if(_JUMP_IF_EQUAL, family, [allowed])]
    choice = [_instruction(_LOAD, _FIRST_ARGUMENT), *families, _denied(errno.EAFNOSUPPORT)]
    body += _if(_JUMP_IF_EQUAL, calls.socket, choice)
    if calls.socketcall >= 0:  # a filter cannot see its arguments in memory; call 1 is socket(2)
        denied = _if(_JUMP_IF_EQUAL, 1, [_denied(errno.ENOSYS)])
        body += _if(_JUMP_IF_EQUAL, calls.socketcall, [_instruction(_LOAD, _FIRST_ARGUMENT), *denied, allowed])
    return [*body, allowed]


def _if(test: int, value: int, then: list[bytes]) -> list[bytes]:
    """Return instructions that run `then` if the test of the loaded word holds."""
    return [_instruction(test, value, otherwise=len(then)), *then]


def _denied(number: int) -> bytes:
    return _instruction(_RETURN, _ERRNO | number)


def _instruction(code: int, value: int, *, otherwise: int = 0) -> bytes:
    """Return a ``struct sock_filter``; a jump skips `otherwise` instructions if its test fails."""
    return struct.pack("HBBI", code, 0, otherwise, value)
