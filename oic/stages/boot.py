"""boot: the unified kernel image and the EFI system partition that holds it with its boot manager.

The UKI follows the UAPI group's Unified Kernel Image specification, the paths its Boot Loader Specification.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oic.chroot import child, layers, namespace, sandbox, toolbox
from oic.errors import OicError
from oic.files import digest_of_sparse
from oic.image.boot.uki import assemble_uki, ukify_argv
from oic.image.fs.fat import make_fat
from oic.image.seeds import volume_id_for
from oic.image.tools import reproducible_env
from oic.image.tree import esp as esp_files
from oic.values import Bytes

if TYPE_CHECKING:
    from oic.chroot.sandbox import Sandbox
    from oic.stage import Stage

_EFI = "usr/lib/systemd/boot/efi"
_ARCHITECTURES = {"x86_64": ("x64", "X64"), "aarch64": ("aa64", "AA64")}
_KERNEL, _INITRD = "vmlinuz", "initrd.img"
_LOADER = "timeout 0\neditor no\n"


def run(stage: Stage) -> str:
    """Make the boot partition's image."""
    part = stage.slice
    if not part["esp"]:
        raise OicError("expected an EFI system partition in disk.partitions (type: esp), found none")
    inputs, initrd = stage.read("boot-inputs.json"), stage.read("initrd.json")
    chroot = layers.read(stage.cache / stage.read("chroot.json")["layer"]).tree
    image = stage.path("esp.img")
    work = stage.path("work")
    aside = work / "esp"
    if aside.exists():  # by a killed build
        shutil.rmtree(aside)
    aside.mkdir(parents=True)
    writes = [work, stage.made_log()]
    namespace.call(_make, part, inputs, stage.directory, chroot, aside / image.name, stage.log, writes=writes)
    (aside / image.name).replace(image)
    aside.rmdir()
    stage.write(
        {
            "cmdline": _command_line(part),
            "kernel": inputs["sha256"],
            "initrd": initrd["sha256"],
            "images": {part["esp"]["id"]: stage.artefact(image)},
            "digests": {part["esp"]["id"]: digest_of_sparse(image)},
            "artefacts": [stage.artefact(image)],
        }
    )
    return f"{part['name']}.efi: {_command_line(part)}"


def _command_line(part: dict[str, Any]) -> str:
    words = part["cmdline"].split()
    root = [] if any(word.startswith("root=") for word in words) else [f"root=PARTUUID={part['root']}", "rw"]
    return " ".join([*root, *words])


def _make(  # noqa: PLR0913 - runs in a namespace: all it knows is said here
    part: dict[str, Any], inputs: dict[str, Any], place: Path, chroot: Path, image: Path, log: Path
) -> None:
    small, large = _ARCHITECTURES[part["arch"]]
    visible = [place / "work", *([place / "esp"] if inputs["esp"] else [])]
    given = {name: place / name for name in (_KERNEL, _INITRD)}
    with (
        toolbox.workspace(place / "work/boot") as work,
        toolbox.opened(chroot, work, log, visible=visible, files=given) as tools,
    ):
        uki, stub = work / "linux.efi", f"{_EFI}/linux{small}.efi.stub"
        _write_uki(part, inputs, place, uki, stub, tools)
        below = {name: place / "esp" / name for name in inputs["esp"]}
        manager = child.inside(tools.root, read_loader, f"{_EFI}/systemd-boot{small}.efi")
        files: dict[str, Path | bytes] = {
            f"EFI/BOOT/BOOT{large}.EFI": manager,
            f"EFI/systemd/systemd-boot{small}.efi": manager,
            f"EFI/Linux/{part['name']}.efi": uki,
            "loader/loader.conf": _LOADER.encode(),
        }
        esp = part["esp"]
        volume_id = volume_id_for(part["seed"], f"file system {esp['id']}")
        make_fat(
            image,
            size=Bytes(esp["size"]),
            volume_id=volume_id,
            label=esp["label"],
            epoch=inputs["epoch"],
            files=esp_files.together(below, files),
            tools=tools,
        )


def _has(root: Path, name: str) -> bool:
    return (root / name).exists()


def read_loader(root: Path, name: str) -> bytes:
    """Read what systemd brings for the firmware, in the build environment, which is the root here."""
    if not (root / name).is_file():
        hint = "the distribution's tools lack the package that has systemd-boot"
        raise OicError(f"expected {name} in the build environment, found none", hint=hint)
    return (root / name).read_bytes()


def _write_uki(  # noqa: PLR0913 - the sections of the image
    part: dict[str, Any], inputs: dict[str, Any], place: Path, uki: Path, stub: str, tools: Sandbox
) -> None:
    """Let the distribution's own ukify do it where the tools have it; else append the sections here."""
    cmdline = _command_line(part)
    if not child.inside(tools.root, _has, "usr/bin/ukify"):
        sections = (
            (".osrel", inputs["osRelease"].encode()),
            (".cmdline", cmdline.encode() + b"\0"),
            (".uname", inputs["version"].encode()),
            (".initrd", (place / _INITRD).read_bytes()),
            (".linux", (place / _KERNEL).read_bytes()),
        )
        uki.write_bytes(assemble_uki(child.inside(tools.root, read_loader, stub), sections))
        return
    texts = {"cmdline": cmdline, "os-release": inputs["osRelease"]}
    for name, text in texts.items():
        (uki.parent / name).write_text(text, encoding="utf-8")
    argv = ukify_argv(
        stub=Path("/") / stub,
        kernel=Path(sandbox.FILES, _KERNEL),
        initrds=[Path(sandbox.FILES, _INITRD)],
        cmdline=uki.parent / "cmdline",
        os_release=uki.parent / "os-release",
        uname=inputs["version"],
        output=uki,
    )
    tools.run(argv, env=reproducible_env(inputs["epoch"]))
