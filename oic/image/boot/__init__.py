"""How an image boots: one file for each method.

A new one is a file with what `BootMethod` asks for, and its name in `BOOT_LOADERS` and `boot_method`.
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
    """What is to boot: kernel and initramfs, each a file that the tools are shown, and what the kernel is told.

    `name` is the image's with its version; `version` and `os_release` are the kernel's and the tree's.
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
    """One way to boot; a module is one."""

    def esp_files(self, wanted: Bootable, work: Path, tools: Sandbox) -> Mapping[str, Path | bytes]:
        """Return the files of the EFI system partition by their paths there, made in the directory `work`.

        Raises OicError when the build environment lacks what it takes, ToolError when a tool fails.
        """


BOOT_LOADERS = ("systemd-boot",)
"""The recipe's words for those that there are."""


def boot_method(word: str) -> BootMethod:
    """Return the method of a recipe's word; its code is loaded only when a stage asks. Raises OicError."""
    if word == "systemd-boot":
        from oic.image.boot import systemd_boot  # noqa: PLC0415

        return systemd_boot
    raise OicError(f"expected the boot loader {' or '.join(BOOT_LOADERS)}, found {word}")
