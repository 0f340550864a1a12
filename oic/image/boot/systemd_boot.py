"""systemd-boot and a unified kernel image of each kernel on the EFI system partition.

The UKI follows the Unified Kernel Image specification of the UAPI group, the paths its Boot Loader Specification.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from oic.chroot import sandbox
from oic.errors import OicError
from oic.image.boot import MENU_SECONDS, BootParts
from oic.image.boot.uki import assemble_uki, ukify_argv
from oic.image.tools import reproducible_env
from oic.process import child

if TYPE_CHECKING:
    from oic.chroot.sandbox import Sandbox
    from oic.image.boot import Bootable, BootKernel

_EFI = "usr/lib/systemd/boot/efi"
_RESERVED, _PREFIX = "auto-", "image-"
"""How the names of systemd-boot's own entries begin: it passes over a file of such a name. What is put before it."""


def make_parts(wanted: Bootable, work: Path, tools: Sandbox) -> BootParts:
    """Make boot manager, its settings and the kernel images; see `oic.image.boot.BootMethod`."""
    stub = f"{_EFI}/linux{wanted.architecture.efi}.efi.stub"
    files: dict[str, Path | bytes] = {}
    name = uki_name(wanted.name)
    for number, kernel in enumerate(wanted.kernels):
        uki = work / f"linux-{number}.efi"
        _write_uki(wanted, kernel, uki, stub, tools)
        files[f"EFI/Linux/{name}{f'-{kernel.version}' if number else ''}.efi"] = uki
    default = f"{name}.efi" if len(wanted.kernels) > 1 else ""
    return BootParts(esp={**manager_files(wanted, tools, default), **files})


def uki_name(name: str) -> str:
    """Return what the UKI of an image is called, without its ending, so that systemd-boot finds it."""
    return f"{_PREFIX}{name}" if name.lower().startswith(_RESERVED) else name


def manager_files(wanted: Bootable, tools: Sandbox, default: str) -> dict[str, Path | bytes]:
    """Return the files of the boot manager itself; `default` is the entry that boots, or a glob of such entries."""
    short = wanted.architecture.efi
    manager = child.inside(tools.root, read_loader, f"{_EFI}/systemd-boot{short}.efi")
    settings = f"default {default}\n" if default else ""
    settings += f"timeout {MENU_SECONDS if len(wanted.kernels) > 1 else 0}\n"
    return {
        f"EFI/BOOT/BOOT{short.upper()}.EFI": manager,
        f"EFI/systemd/systemd-boot{short}.efi": manager,
        "loader/loader.conf": f"{settings}editor no\n".encode(),
    }


def read_loader(root: Path, name: str) -> bytes:
    """Read an EFI program of systemd; runs with the build environment as its root."""
    if not (root / name).is_file():
        hint = "the distribution's tools lack the package that contains systemd-boot"
        raise OicError(f"expected {name} in the build environment, found none", hint=hint)
    return (root / name).read_bytes()


def _has(root: Path, name: str) -> bool:
    return (root / name).exists()


def _write_uki(wanted: Bootable, kernel: BootKernel, uki: Path, stub: str, tools: Sandbox) -> None:
    """Write the UKI with the distribution's ukify if the tools have it; otherwise append the sections here."""
    if not child.inside(tools.root, _has, "usr/bin/ukify"):
        sections = (
            (".osrel", wanted.os_release.encode()),
            (".cmdline", wanted.command_line.encode() + b"\0"),
            (".uname", kernel.version.encode()),
            (".initrd", kernel.initramfs.read_bytes()),
            (".linux", kernel.kernel.read_bytes()),
        )
        uki.write_bytes(assemble_uki(child.inside(tools.root, read_loader, stub), sections))
        return
    texts = {"cmdline": wanted.command_line, "os-release": wanted.os_release}
    for name, text in texts.items():
        (uki.parent / name).write_text(text, encoding="utf-8")
    argv = ukify_argv(
        stub=Path("/") / stub,
        kernel=Path(sandbox.FILES, kernel.kernel.name),
        initrds=[Path(sandbox.FILES, kernel.initramfs.name)],
        cmdline=uki.parent / "cmdline",
        os_release=uki.parent / "os-release",
        uname=kernel.version,
        output=uki,
    )
    tools.run(argv, env=reproducible_env(wanted.epoch))
