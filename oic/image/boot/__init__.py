"""Boot methods: one module for each.

A new one is a file with what `BootMethod` asks for, its name in `boot_method` and, if it puts no files into the tree,
in `is_in_tree`, and the recipe's words for it in `METHODS`.

* The kernel that boots by default is the newest of the image; the others are in the menu, newest first.
* With one kernel nothing waits for a key; with several the menu is shown for `MENU_SECONDS`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from msgspec import field

from oic.errors import OicError
from oic.values import Value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from oic.chroot.sandbox import Sandbox
    from oic.config.architecture import Architecture
    from oic.image.boot.place import BootPlace

MENU_SECONDS = 3


class BootKernel(Value):
    """A kernel and its initramfs, each a file that the tools are shown; `path` is the kernel's in the tree.

    `version` is what ``uname -r`` says; `initramfs_path` is where the image's own tools look for the initramfs.
    """

    version: str
    kernel: Path
    path: str
    initramfs: Path
    initramfs_path: str


class Bootable(Value):
    """What is to boot: kernels, the newest first, and what each is told.

    `name` is the image's with its version; `os_release` is the text of the tree's os-release(5); `place` says where
    the boot loader finds files of the tree, for a method that reads them there.
    """

    name: str
    architecture: Architecture
    kernels: Sequence[BootKernel]
    command_line: str
    os_release: str
    epoch: int
    place: BootPlace | None = None


class BootParts(Value):
    """What boots an image, by where it goes.

    `esp` are files of the EFI system partition by their paths there, `tree` files of the image by their paths in it;
    `settings` are lines for /etc/default/grub. `private` are the files of the tree that root alone may read.
    `boot_code` is for the disk's first sector, `core` for its place on the disk.
    """

    esp: Mapping[str, Path | bytes] = field(default_factory=dict)
    tree: Mapping[str, Path | bytes] = field(default_factory=dict)
    settings: str = ""
    private: frozenset[str] = frozenset()
    boot_code: bytes = b""
    core: bytes = b""


class BootMethod(Protocol):
    """A boot method; each one is a module."""

    def make_parts(self, wanted: Bootable, work: Path, tools: Sandbox) -> BootParts:
        """Return what boots the image, made in the directory `work`.

        Raises OicError when the build environment lacks a file, ToolError when a tool fails.
        """


METHODS = {
    ("efi", "systemd-boot"): "systemd-boot",
    ("efi", "grub"): "grub-efi",
    ("legacy", "grub"): "grub-bios",
}
"""By the recipe's words for firmware and boot loader; with boot loader entries see `method_name`."""

OWN_FILES = {
    "systemd-boot-entries": ("/etc/kernel/cmdline", "/etc/kernel/entry-token"),
    **dict.fromkeys(
        ("grub-efi", "grub-bios"),
        (
            *("/boot/grub/grub.cfg", "/boot/grub2/grub.cfg", "/boot/grub/grubenv", "/boot/grub2/grubenv"),
            "/etc/default/grub.d/90-image.cfg",
        ),
    ),
}
"""Files that a method writes over what a recipe has there."""

_ENTRIES = "-entries"


def method_name(boot_type: str, loader: str, *, entries: bool) -> str:
    """Return the name of a method that a recipe asks for."""
    name = METHODS[boot_type, loader]
    return f"{name}{_ENTRIES}" if entries and loader == "systemd-boot" else name


def boot_method(name: str) -> BootMethod:
    """Return a method by its name; its code is loaded only when a stage asks. Raises OicError."""
    if name == "systemd-boot":
        from oic.image.boot import systemd_boot  # noqa: PLC0415

        return systemd_boot
    if name == "systemd-boot-entries":
        from oic.image.boot import loader_entries  # noqa: PLC0415

        return loader_entries
    if name == "grub-efi":
        from oic.image.boot.grub import efi  # noqa: PLC0415

        return efi
    if name == "grub-bios":
        from oic.image.boot.grub import bios  # noqa: PLC0415

        return bios
    raise OicError(f"expected the boot method of a recipe's words, found {name}")


def is_in_tree(name: str) -> bool:
    """Tell whether a method puts files into the tree, so that file systems are made after it."""
    return name != "systemd-boot"
