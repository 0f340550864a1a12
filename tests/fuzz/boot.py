"""What a booted image says of itself: its console, the answers of its commands."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from fuzz.harness import Harness
from oic.boottest.console import Console
from oic.boottest.report import (
    package_differences,
    parse_failed_units,
    parse_host_keys,
    parse_mounts,
    parse_os_release,
    parse_packages,
)
from oic.boottest.session import LOGIN, _answer
from oic.errors import OicError

if TYPE_CHECKING:
    from collections.abc import Iterator

_PIECES = (1, 2, 3, 7, 100)


def _console(data: bytes) -> None:
    """However the reads cut it, the text is the same; what is waited for ends in a match or in words."""
    size = _PIECES[(data[:1] or b"\0")[0] % len(_PIECES)]
    whole = data[1:] + b"\n"
    pieces = [whole[at : at + size] for at in range(0, len(whole), size)]
    with open(os.devnull, "rb") as end, _console_of([whole], end.fileno()) as console:
        with _console_of(pieces, end.fileno()) as other:
            assert console.text == other.text
        assert not set(console.text) & set("\x1b\r\0\x07")
        console.await_any("a prompt", {"login": LOGIN}, time.monotonic() + 5)


@contextlib.contextmanager
def _console_of(pieces: list[bytes], end: int) -> Iterator[Console]:
    console = Console(end, -1, log=Path(os.devnull), describe_end=lambda: "it is gone")
    try:
        for piece in pieces:
            console._take(piece)
        yield console
    finally:
        console.close()


def _report(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    for parse in (parse_os_release, parse_mounts, parse_host_keys, parse_failed_units):
        with contextlib.suppress(OicError):
            parse(text)
    with contextlib.suppress(OicError):
        packages, _ = parse_packages(text)
        package_differences({"a": "1", "b:amd64": "2"}, packages)
    _answer(text, 1, f"oic-end-1 0 {'0' * 64}")


CONSOLE = [
    b"\3\x1b[2J\x1b[01;01HBdsDxe: starting\r\n\x1b]0;title\x07Debian GNU/Linux 12 a ttyS0\r\n\r\na login: \xc3\xa4",
    b"\0\x1bPq\x1b\\[  1.0] Kernel panic - not syncing: VFS\n\x1b(B\x1b[m(initramfs) ",
]
REPORTS = [
    b"PRETTY_NAME=\"Debian\"\nID='debian'\n# a\nVERSION_ID=12\n",
    b"a\t1\tii \nb:amd64\t2\tiU \nc\t3\nd\t1\trc \n",
    b"/dev/sda2 / ext4 rw 0 0\nproc /proc proc rw 0 0\nroot / rootfs rw 0 0\n",
    b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA== root@a\necdsa-sha2-nistp256 AAAA root@a\n",
    b"a.service loaded failed failed A\noic-1:YQ==\n",
]
HARNESSES = (
    Harness(name="console", run=_console, seeds=lambda: CONSOLE, lines=True, most=2048, mutants=300),
    Harness(name="boot-report", run=_report, seeds=lambda: REPORTS, lines=True),
)
