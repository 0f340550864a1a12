"""Where answers are read from: the medium, a second medium with a label, and the kernel command line."""

from __future__ import annotations

import os
import stat
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .answers import MAX_BYTES, Answers, read_answers
from .door import run
from .errors import InstallError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .disks import Machine

LABELS = ("OIC-ANSWERS", "CIDATA", "cidata")
"""Of a second medium; the latter two are those of cloud-init's NoCloud."""
FILE = "oic/answers"
SECOND_FILE = "oic-answers"
_MOUNT_POINT = Path("/run/oic/answers")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The answers, and the devices that some of them were read from: no installation erases these."""

    answers: Answers
    devices: tuple[str, ...]
    names: tuple[str, ...]


def find_answers(machine: Machine, more: Path | None = None, *, looks_for_second: bool) -> Found:
    """Read all answers, those of a file `more` last; raises InstallError that has every mistake in them."""
    first = read_file(machine.medium / FILE)
    files = [] if first is None else [(str(machine.medium / FILE), first)]
    seconds = _second_media() if looks_for_second else {}
    if len(seconds) > 1:
        shown = " and ".join(seconds)
        raise InstallError(f"expected one second medium with {SECOND_FILE}, found it on {shown}")
    files += [(f"{device}:{SECOND_FILE}", data) for device, data in seconds.items()]
    try:
        line = (machine.proc / "cmdline").read_text("utf-8", "replace")
    except OSError:
        line = ""
    has_words = any(key in line for key in (" oic.disk", " oic.hostname", " oic.user", " oic.network", " oic.reboot"))
    names = [name for name, _ in files] + ["the kernel command line"] * has_words
    last = _last_file(more)
    return Found(answers=read_answers(files, line, last), devices=tuple(seconds), names=(*names, *dict(last)))


def _last_file(path: Path | None) -> list[tuple[str, bytes]]:
    data = read_file(path) if path else b""
    if data is None:
        raise InstallError(f"expected a file with answers at {path}, found none")
    return [(str(path), data)] if path else []


def read_file(path: Path) -> bytes | None:
    """Return the start of a regular file, one byte more than an answer file may have; None where there is none."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InstallError(f"{path} cannot be read: {error.strerror}") from None
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise InstallError(f"expected a file at {path}, found something else")
        return os.read(fd, MAX_BYTES + 1)
    finally:
        os.close(fd)


def _second_media() -> dict[str, bytes]:
    """Return the answer file of each device that has one."""
    found = {}
    for label in LABELS:
        # 2: no device has the label. Nothing is cached: a medium can be changed.
        output = run(["blkid", "-c", "/dev/null", "-t", f"LABEL={label}", "-o", "device"], accept=(0, 2))
        for device in output.split():
            with _mounted(device) as folder:
                data = read_file(folder / SECOND_FILE)
            if data is not None:
                found[device] = data
    return found


@contextmanager
def _mounted(device: str) -> Iterator[Path]:
    _MOUNT_POINT.mkdir(parents=True, exist_ok=True)
    run(["mount", "-o", "ro,nodev,noexec,nosuid", device, str(_MOUNT_POINT)])
    try:
        yield _MOUNT_POINT
    finally:
        run(["umount", str(_MOUNT_POINT)])
