"""systemd-boot and a unified kernel image on the EFI system partition.

The UKI follows the Unified Kernel Image specification of the UAPI group, the paths its Boot Loader Specification.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from oic.chroot import sandbox
from oic.errors import OicError
from oic.image.boot.uki import assemble_uki, ukify_argv
from oic.image.tools import reproducible_env
from oic.process import child

if TYPE_CHECKING:
    from collections.abc import Mapping

    from oic.chroot.sandbox import Sandbox
    from oic.image.boot import Bootable

_EFI = "usr/lib/systemd/boot/efi"
_LOADER = b"timeout 0\neditor no\n"


def esp_files(wanted: Bootable, work: Path, tools: Sandbox) -> Mapping[str, Path | bytes]:
    """Return the boot manager, its configuration and the kernel image; see `oic.image.boot.BootMethod`."""
    short = wanted.architecture.efi
    uki = work / "linux.efi"
    _write_uki(wanted, uki, f"{_EFI}/linux{short}.efi.stub", tools)
    manager = child.inside(tools.root, read_loader, f"{_EFI}/systemd-boot{short}.efi")
    return {
        f"EFI/BOOT/BOOT{short.upper()}.EFI": manager,
        f"EFI/systemd/systemd-boot{short}.efi": manager,
        f"EFI/Linux/{wanted.name}.efi": uki,
        "loader/loader.conf": _LOADER,
    }


def read_loader(root: Path, name: str) -> bytes:
    """Read an EFI program of systemd; runs with the build environment as its root."""
    if not (root / name).is_file():
        hint = "the distribution's tools lack the package that contains systemd-boot"
        raise OicError(f"expected {name} in the build environment, found none", hint=hint)
    return (root / name).read_bytes()


def _has(root: Path, name: str) -> bool:
    return (root / name).exists()


def _write_uki(wanted: Bootable, uki: Path, stub: str, tools: Sandbox) -> None:
    """Write the UKI with the distribution's ukify if the tools have it; otherwise append the sections here."""
    if not child.inside(tools.root, _has, "usr/bin/ukify"):
        sections = (
            (".osrel", wanted.os_release.encode()),
            (".cmdline", wanted.command_line.encode() + b"\0"),
            (".uname", wanted.version.encode()),
            (".initrd", wanted.initramfs.read_bytes()),
            (".linux", wanted.kernel.read_bytes()),
        )
        uki.write_bytes(assemble_uki(child.inside(tools.root, read_loader, stub), sections))
        return
    texts = {"cmdline": wanted.command_line, "os-release": wanted.os_release}
    for name, text in texts.items():
        (uki.parent / name).write_text(text, encoding="utf-8")
    argv = ukify_argv(
        stub=Path("/") / stub,
        kernel=Path(sandbox.FILES, wanted.kernel.name),
        initrds=[Path(sandbox.FILES, wanted.initramfs.name)],
        cmdline=uki.parent / "cmdline",
        os_release=uki.parent / "os-release",
        uname=wanted.version,
        output=uki,
    )
    tools.run(argv, env=reproducible_env(wanted.epoch))
