"""Disk formats of virtual machines: one file for each. qemu-img of the build environment writes all of them.

To add a format, add a module that implements `DiskFormat`, and its entry in `DISK_FORMATS`.
"""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Protocol

from oic.files import open_output
from oic.image.formats import qcow2, vdi, vhd, vhdx, vmdk

if TYPE_CHECKING:
    from pathlib import Path

    from oic.image.tools import Tools


class DiskFormat(Protocol):
    """A disk format; each module in this directory implements it."""

    QEMU: str
    """The format's name for qemu."""
    OPTIONS: str
    """The argument of ``qemu-img convert -o``."""
    UNIT: int
    """The size of the disk in bytes must be a multiple of this."""

    def set_identifiers(self, image: IO[bytes], uuid: str) -> None:
        """Replace random values and times that qemu-img wrote by values derived from a UUID; `image` is writable.

        Raises ValueError if the layout of the file is not the known one.
        """


DISK_FORMATS: dict[str, DiskFormat] = {"qcow2": qcow2, "vhd": vhd, "vhdx": vhdx, "vmdk": vmdk, "vdi": vdi}
"""The formats by their names in a recipe."""


def convert(raw: Path, target: Path, word: str, uuid: str, tools: Tools) -> None:
    """Convert a raw disk to the format `word`; the same disk and UUID give the same bytes. Raises ToolError.

    A vmdk contains the name of `target`.
    """
    kind = DISK_FORMATS[word]
    options = ["-o", kind.OPTIONS] if kind.OPTIONS else []
    argv = ["qemu-img", "convert", "-f", "raw", "-O", kind.QEMU, *options, str(raw), str(target)]
    tools.run(argv, env={"LC_ALL": "C"})
    with open_output(target, "r+b") as image:
        kind.set_identifiers(image, uuid)
