"""What GRUB brings, found in the build environment: modules, its images for the firmware, the names of its programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oic.errors import OicError
from oic.image.boot.grub.menu import kernel_path, menu_text
from oic.values import Value

if TYPE_CHECKING:
    from pathlib import Path

    from oic.image.boot import Bootable

_MISSING = "the distribution's tools lack the package that has it"
_ENVIRONMENT = "# GRUB Environment Block\n"
_ENVIRONMENT_SIZE = 1024  # GRUB manual, section "The GRUB environment block"


class Platform(Value):
    """What GRUB has for a platform: its directory below /boot, `grub` or `grub2`, and the files that belong there."""

    directory: str
    files: dict[str, bytes]


def read_platform(root: Path, platform: str) -> Platform:
    """Read modules, lists and font, in the build environment, which is the root here; raises OicError for none."""
    directory = "grub2" if (root / "usr/bin/grub2-mkimage").exists() else "grub"
    place = root / "usr/lib/grub" / platform
    files = {
        f"{platform}/{path.name}": path.read_bytes()
        for path in sorted(place.glob("*"))
        if path.suffix in (".mod", ".lst") and path.is_file()
    }
    if not files:
        raise OicError(
            f"expected GRUB's modules usr/lib/grub/{platform} in the build environment, found none", hint=_MISSING
        )
    font = root / "usr/share/grub/unicode.pf2"
    if font.is_file():
        files["fonts/unicode.pf2"] = font.read_bytes()
    files["grubenv"] = _ENVIRONMENT.encode().ljust(_ENVIRONMENT_SIZE, b"#")
    return Platform(directory=directory, files=files)


def private_files(platform: Platform) -> frozenset[str]:
    """Return what root alone may read: the menu, where the distribution packages it so (grub2.spec: mode 0400)."""
    return frozenset({f"boot/{platform.directory}/grub.cfg"} if platform.directory == "grub2" else ())


def read_file(root: Path, name: str) -> bytes:
    """Read a file of the build environment, which is the root here; raises OicError where it is not."""
    if not (root / name).is_file():
        raise OicError(f"expected {name} in the build environment, found none", hint=_MISSING)
    return (root / name).read_bytes()


def tree_files(wanted: Bootable, platform: Platform, *, serial: bool) -> dict[str, Path | bytes]:
    """Return what of the boot loader lies in the tree: menu and modules, and for each kernel what is not there yet."""
    files: dict[str, Path | bytes] = {
        f"boot/{platform.directory}/{name}": content for name, content in platform.files.items()
    }
    files[f"boot/{platform.directory}/grub.cfg"] = menu_text(wanted, platform.directory, serial=serial).encode()
    for kernel in wanted.kernels:
        if kernel.path != kernel_path(kernel.version):
            files[kernel_path(kernel.version)] = kernel.kernel
        files[kernel.initramfs_path] = kernel.initramfs
    return files
