"""Boot methods: one module for each.

To add one, write a module that implements `BootMethod`, and add its name to `BOOT_LOADERS` and `boot_method`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from oic.errors import OicError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from oic.chroot.sandbox import Sandbox
    from oic.config.architecture import Architecture


@dataclass(frozen=True, slots=True, kw_only=True)
class Bootable:
    """A kernel and an initramfs, both files that the tools can read, and the kernel's command line.

    `name` is the image's name and version, `version` the kernel's release, `os_release` the tree's os-release(5).
    """

    name: str
    architecture: Architecture
    kernel: Path
    initramfs: Path
    command_line: str
    version: str
    os_release: str
    epoch: int


class BootMethod(Protocol):
    """A boot method; each one is a module."""

    def esp_files(self, wanted: Bootable, work: Path, tools: Sandbox) -> Mapping[str, Path | bytes]:
        """Return the files of the EFI system partition by their paths on it; `work` is a directory for new files.

        Raises OicError when the build environment lacks a file, ToolError when a tool fails.
        """


BOOT_LOADERS = ("systemd-boot",)
"""Their names in recipes."""


def boot_method(word: str) -> BootMethod:
    """Return the boot method with this name; its module is imported here, on first use. Raises OicError."""
    if word == "systemd-boot":
        from oic.image.boot import systemd_boot  # noqa: PLC0415

        return systemd_boot
    raise OicError(f"expected the boot loader {' or '.join(BOOT_LOADERS)}, found {word}")
