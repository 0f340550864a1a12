"""What is checked before anything is written: firmware, programs, memory, and every byte of the payload."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from .blocks import read_blocks
from .errors import InstallError
from .grow import EXT, MOUNTED
from .index import INDEX, MAX_INDEX, parse_payload

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .answers import Answers
    from .disks import Machine
    from .payload import Payload

_BASE_MEMORY = 96 << 20
"""For Python, zstd and sfdisk, beside the blocks."""
_READ_ONLY = ("squashfs", "erofs")
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def read_payload(medium: Path) -> Payload:
    """Return what the medium's index describes; raises InstallError for a medium without one."""
    path = medium / INDEX
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size > MAX_INDEX:
                raise InstallError(f"{INDEX}: expected at most {MAX_INDEX} bytes, found {size}")
            return parse_payload(file.read(size))
    except OSError as error:
        hint = "is the medium mounted, and made by oic?"
        raise InstallError(f"expected {INDEX} on the medium at {medium}: {error.strerror}", hint=hint) from None


def check_firmware(payload: Payload, machine: Machine) -> None:
    """Raise InstallError if the machine was started by a firmware that cannot start what is installed."""
    found = "efi" if (machine.sys / "firmware/efi").is_dir() else "bios"
    names = {"efi": "UEFI", "bios": "a BIOS"}
    if found != payload.firmware:
        text = f"expected a machine that was started by {names[payload.firmware]}, which {payload.image} boots by"
        hint = f"choose {names[payload.firmware]} in the firmware's setup, or install an image for {names[found]}"
        raise InstallError(f"{text}; this one was started by {names[found]}", hint=f"{hint}; nothing was written")


def check_programs(payload: Payload, answers: Answers, *, mounts: bool) -> None:
    """Raise InstallError that names every program which will be needed and is not there."""
    needed = ["zstd", "sfdisk", "wipefs", "blkid"]
    kinds = {one.type for one in payload.partitions if one.grows and one.image}
    needed += ["e2fsck", "resize2fs"] if kinds & {*EXT} else []
    needed += ["xfs_growfs"] if "xfs" in kinds else []
    needed += ["btrfs"] if "btrfs" in kinds else []
    needed += ["mount", "umount"] if mounts and (kinds & {*MOUNTED} or answers.changes_system) else []
    needed += ["cp"] if payload.state and answers.changes_system else []
    missing = [name for name in needed if not shutil.which(name, path=_PATH)]
    if missing:
        text = f"expected {', '.join(missing)} in the installer's system, found none"
        raise InstallError(text, hint="the ISO's recipe for the installer lacks a package; nothing was written")


def check_root(payload: Payload, answers: Answers) -> None:
    """Raise InstallError if answers change files of a system that cannot be changed."""
    if not answers.changes_system:
        return
    root = next(one for one in payload.partitions if one.at == "/")
    text = "expected no answers of hostname, users or network: "
    if payload.state and not payload.state.partition:
        text += "the root is only read, and what the system writes is in memory, lost when the machine stops"
        raise InstallError(text, hint="say them in the recipe, or immutability.state there; nothing was written")
    if not payload.state and (root.type in _READ_ONLY or not root.image):
        text += f"the root is read-only ({root.type})"
        raise InstallError(text, hint="say them in the recipe; nothing was written")


def check_payload(payload: Payload, medium: Path, progress: Callable[[int], None]) -> None:
    """Raise InstallError unless every block is what the build recorded, stored and unpacked."""
    for image in payload.images:
        for block, _ in read_blocks(medium, image):
            progress(block.length)


def needed_memory(payload: Payload) -> int:
    """Return how many bytes an installation needs: a block is held stored and unpacked, each twice."""
    blocks = [block for image in payload.images for block in image.blocks]
    return _BASE_MEMORY + 2 * max((block.size + block.length for block in blocks), default=0)


def check_memory(payload: Payload, machine: Machine) -> None:
    """Raise InstallError if the kernel says that less memory is available (MemAvailable, proc_meminfo(5))."""
    try:
        lines = (machine.proc / "meminfo").read_text("utf-8").splitlines()
    except OSError:
        return
    values = [line.split()[1] for line in lines if line.startswith("MemAvailable:") and len(line.split()) > 1]
    needed = needed_memory(payload)
    if values and values[0].isdigit() and int(values[0]) * 1024 < needed:
        text = f"expected {needed >> 20} MiB of free memory, found {int(values[0]) >> 10}"
        raise InstallError(text, hint="give the machine more memory; nothing was written")


def read_size(path: Path) -> int:
    """Return how large a plain file is."""
    try:
        return os.stat(path).st_size
    except OSError as error:
        raise InstallError(f"expected a file at {path}: {error.strerror}") from None
