"""The formats that virtual machines take a disk in: one file for each, all made by qemu-img of the build environment.

A new one is a file with what `DiskFormat` asks for, and its name in `DISK_FORMATS`.
"""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Protocol

from oic.files import open_output
from oic.image.formats import qcow2, vdi, vhd, vhdx, vmdk

if TYPE_CHECKING:
    from pathlib import Path

    from oic.image.tools import Tools


class DiskFormat(Protocol):
    """One format; a module is one."""

    QEMU: str
    """The format's name for qemu."""
    OPTIONS: str
    """What ``qemu-img convert -o`` is told."""
    UNIT: int
    """A disk's size in bytes has to be a multiple of this."""

    def set_identifiers(self, image: IO[bytes], uuid: str) -> None:
        """Replace what qemu-img drew, or took from the clock, by values derived from a UUID; `image` can be written.

        Raises ValueError for a file of another layout than qemu-img is known to write.
        """


DISK_FORMATS: dict[str, DiskFormat] = {"qcow2": qcow2, "vhd": vhd, "vhdx": vhdx, "vmdk": vmdk, "vdi": vdi}
"""By the recipe's word."""


def convert(raw: Path, target: Path, word: str, uuid: str, tools: Tools) -> None:
    """Write a raw disk in another format; the same disk and UUID give the same bytes. Raises ToolError.

    The name of `target` is part of a vmdk.
    """
    kind = DISK_FORMATS[word]
    options = ["-o", kind.OPTIONS] if kind.OPTIONS else []
    argv = ["qemu-img", "convert", "-f", "raw", "-O", kind.QEMU, *options, str(raw), str(target)]
    tools.run(argv, env={"LC_ALL": "C"})
    with open_output(target, "r+b") as image:
        kind.set_identifiers(image, uuid)
