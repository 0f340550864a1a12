"""GRUB for UEFI: shim where the distribution has it, GRUB as the distribution signed it, the rest in the tree.

GRUB's image is the distribution's own, never made here: a signature is of one image. It reads a grub.cfg in the
directory that is written into it, or beside itself; there stands where the real one is.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from oic.errors import OicError
from oic.image.boot import BootParts
from oic.image.boot.grub.files import private_files, read_platform, tree_files
from oic.image.boot.grub.menu import redirection_text, settings_text
from oic.image.boot.uki import section_of
from oic.process import child

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from oic.chroot.sandbox import Sandbox
    from oic.image.boot import Bootable

_FALLBACK = "EFI/BOOT"
"""Where the firmware looks on a disk that it does not know, UEFI 2.10 section 3.5.1.1."""
_MODULES = struct.Struct("<4s4xQQ")  # magic, offset of the first module, size of all
_MODULE = struct.Struct("<II")  # kind, size with this header
_PREFIX = 3  # include/grub/kernel.h, OBJ_TYPE_PREFIX


def make_parts(wanted: Bootable, work: Path, tools: Sandbox) -> BootParts:
    """Make the files of ESP and tree; see `oic.image.boot.BootMethod`."""
    del work
    place = wanted.place
    assert place is not None
    platform = child.inside(tools.root, read_platform, wanted.architecture.grub)
    menu = redirection_text(place.uuid, place.path_of(f"boot/{platform.directory}")).encode()
    esp = removable_files(wanted.architecture.efi, menu, tools)
    return BootParts(
        esp=esp,
        tree=tree_files(wanted, platform, serial=False),
        settings=settings_text(wanted, serial=False),
        private=private_files(platform),
    )


def removable_files(short: str, menu: bytes, tools: Sandbox) -> dict[str, Path | bytes]:
    """Return what firmware starts on a device that it does not know, by path: shim and GRUB, which reads `menu`.

    `short` is UEFI's word for the architecture. Raises OicError where the build environment has no GRUB.
    """
    name = f"grub{short}.efi"
    signed, shim, manager = (child.inside(tools.root, read_first, globs) for globs in _globs(short))
    if signed is None:
        hint = "the distribution's tools lack the package that has GRUB for UEFI"
        raise OicError(f"expected {name} in the build environment, found none", hint=hint)
    files: dict[str, Path | bytes] = {f"{_FALLBACK}/{name}": signed, f"{_FALLBACK}/grub.cfg": menu}
    files[f"{prefix_of(signed).strip('/') or _FALLBACK}/grub.cfg"] = menu
    files[f"{_FALLBACK}/BOOT{short.upper()}.EFI"] = shim or signed
    if shim and manager:
        files[f"{_FALLBACK}/mm{short}.efi"] = manager
    return files


def _globs(short: str) -> tuple[Sequence[str], ...]:
    """Return where distributions have GRUB, shim and shim's key manager, the signed one first."""
    vendors = ("boot/efi/EFI/[!B]*", "boot/efi/EFI/BOOT")
    grub = [f"usr/lib/grub/*-signed/grub{short}.efi.signed", *(f"{vendor}/grub{short}.efi" for vendor in vendors)]
    return (
        (*grub, f"usr/lib/grub/*/monolithic/grub{short}.efi"),
        (
            *(f"usr/lib/shim/shim{short}.efi.signed", f"usr/lib/shim/shim{short}.efi.signed.latest"),
            *(f"boot/efi/EFI/[!B]*/shim{short}.efi", f"boot/efi/EFI/BOOT/[Bb][Oo][Oo][Tt]{short}.[Ee][Ff][Ii]"),
        ),
        (f"usr/lib/shim/mm{short}.efi.signed", f"usr/lib/shim/mm{short}.efi", f"boot/efi/EFI/*/mm{short}.efi"),
    )


def read_first(root: Path, globs: Sequence[str]) -> bytes | None:
    """Read the first file that a pattern names, in the build environment, which is the root here."""
    for pattern in globs:
        for path in sorted(root.glob(pattern)):
            if path.is_file():
                return path.read_bytes()
    return None


def prefix_of(image: bytes) -> str:
    """Return the directory that is written into an image of GRUB, which may be none; raises OicError for another file.

    Format: GRUB 2.06, include/grub/kernel.h, ``struct grub_module_info64`` and what follows it in the section ``mods``.
    """
    section = section_of(image, "mods")
    try:
        magic, at, size = _MODULES.unpack_from(section)
        while magic == b"mimg" and at + _MODULE.size <= size:
            kind, length = _MODULE.unpack_from(section, at)
            if kind == _PREFIX:
                return section[at + _MODULE.size : at + length].split(b"\0")[0].decode("ascii")
            at += max(length, _MODULE.size)
    except (struct.error, UnicodeDecodeError):
        pass
    raise OicError("expected an image of GRUB for UEFI, found one that names no directory of its own")
