"""systemd-boot and a boot loader entry of each kernel: kernel and initramfs are files of the EFI system partition.

::

    loader/loader.conf                       which entry boots
    loader/entries/<token>-<version>.conf    title, command line, and the paths of:
    <token>/<version>/linux, initrd…

* The names are those that kernel-install(8) of the image uses, so that its package manager adds and removes kernels.
  What it needs to know is in /etc/kernel: the token, which is the distribution's ID, and the command line.
* The initramfs is also in the tree, where the image's own tools look for it and replace it.

Formats: the Boot Loader Specification of the UAPI group, "Type #1 Boot Loader Specification Entries"; loader.conf(5).
"""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from oic.image.boot import BootParts
from oic.image.boot.release import release_field, title_of
from oic.image.boot.systemd_boot import manager_files

if TYPE_CHECKING:
    from oic.chroot.sandbox import Sandbox
    from oic.image.boot import Bootable, BootKernel

_TOKEN = re.compile(r"[a-z0-9][a-z0-9._-]*")
_ENTRIES = "loader/entries"


def make_parts(wanted: Bootable, work: Path, tools: Sandbox) -> BootParts:
    """Make boot manager, its settings and the entries; see `oic.image.boot.BootMethod`."""
    del work
    token = token_of(wanted.os_release)
    esp: dict[str, Path | bytes] = manager_files(wanted, tools, f"{token}-*")
    esp["loader/entries.srel"] = b"type1\n"
    tree: dict[str, Path | bytes] = {
        "etc/kernel/entry-token": f"{token}\n".encode(),
        "etc/kernel/cmdline": f"{wanted.command_line}\n".encode(),
    }
    for kernel in wanted.kernels:
        initramfs = PurePosixPath(kernel.initramfs_path).name
        files = f"{token}/{kernel.version}"
        esp[f"{files}/linux"] = kernel.kernel.read_bytes()  # the tools see neither file by its own path
        esp[f"{files}/{initramfs}"] = kernel.initramfs.read_bytes()
        esp[f"{_ENTRIES}/{token}-{kernel.version}.conf"] = entry_text(wanted, kernel, files, initramfs).encode()
        tree[kernel.initramfs_path] = kernel.initramfs
    return BootParts(esp=esp, tree=tree)


def token_of(os_release: str) -> str:
    """Return what the names of the entries begin with: systemd-boot reads names in lower case."""
    found = release_field(os_release, "IMAGE_ID") or release_field(os_release, "ID")
    return found if _TOKEN.fullmatch(found) else "linux"


def entry_text(wanted: Bootable, kernel: BootKernel, directory: str, initramfs: str) -> str:
    """Return the entry of a kernel whose files are in this directory of the ESP."""
    lines = {
        "title": title_of(wanted.os_release),
        "version": kernel.version,
        "sort-key": token_of(wanted.os_release),
        "options": wanted.command_line,
        "linux": f"/{directory}/linux",
        "initrd": f"/{directory}/{initramfs}",
    }
    return "".join(f"{key:<10} {value}\n" for key, value in lines.items())
