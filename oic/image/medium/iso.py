"""Makes a hybrid ISO with xorriso: one file that boots from CD and from a stick, by UEFI and by BIOS.

::

    | boot code, table | ISO 9660: menu, kernel, initramfs, payload … | FAT: shim, GRUB |
      BIOS, from a stick  BIOS, from a CD: El Torito                    UEFI, from both

* The same content gives the same bytes: names, dates and identifiers are given, and xorriso sorts.
* The FAT is appended as a partition of the GPT, and El Torito names the same bytes.

Format: ECMA-119, El Torito 1.0, UEFI 2.10 section 13.3.2; options as in xorrisofs(1).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from oic.image.boot.grub.efi import removable_files
from oic.image.boot.grub.files import read_file, read_platform
from oic.image.fs.fat import make_fat
from oic.image.medium import DIRECTORY
from oic.image.medium.menu import search_text
from oic.image.tools import reproducible_env
from oic.process import child
from oic.values import Bytes, Value

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from oic.chroot.sandbox import Sandbox
    from oic.config.architecture import Architecture

_BIOS, _TORITO = "i386-pc", "boot/grub/eltorito.img"
_MODULES = (
    "biosdisk iso9660 part_gpt part_msdos fat search search_fs_file configfile normal linux test regexp echo chain"
    " serial terminal"
)
_CLUSTERS = 1 << 20


class IsoSpec(Value):
    """An ISO to make of `files`, by their paths on it; `marker` is the name of a file that says which ISO it is."""

    files: Mapping[str, Path | bytes]
    label: str
    marker: str
    disk_uuid: str
    volume_id: int
    architecture: Architecture
    epoch: int


def make_iso(spec: IsoSpec, target: Path, work: Path, tools: Sandbox) -> None:
    """Write the ISO to `target`; `work` is an empty directory that the tools see. Raises OicError, ToolError."""
    found = search_text(spec.marker).encode()
    files = removable_files(spec.architecture.efi, found, tools)
    # Started from a CD, some images of GRUB look for their grub.cfg on the ISO 9660 file system, not in the FAT.
    menus: dict[str, Path | bytes] = {path: found for path, content in files.items() if content == found}
    contents = {**menus, **spec.files, f"{DIRECTORY}/{spec.marker}": b"", _TORITO: _core(spec, found, work, tools)}
    grafts = []
    for number, (name, content) in enumerate(sorted(contents.items())):
        path = work / f"file-{number}" if isinstance(content, bytes) else content
        if isinstance(content, bytes):
            path.write_bytes(content)
        grafts.append("/{}={}".format(*(re.sub(r"([\\=])", r"\\\1", str(text)) for text in (name, path))))
    efi = work / "efi.img"
    size = sum(map(len, (content for content in files.values() if isinstance(content, bytes))))
    make_fat(
        efi,
        kind="fat16",
        size=Bytes(-(-size // _CLUSTERS) * _CLUSTERS + 9 * _CLUSTERS),
        volume_id=spec.volume_id,
        label="",
        epoch=spec.epoch,
        files=files,
        tools=tools,
    )
    hybrid = work / "boot_hybrid.img"
    hybrid.write_bytes(child.inside(tools.root, read_file, f"usr/lib/grub/{_BIOS}/boot_hybrid.img"))
    tools.run(_command(spec, target, hybrid, efi, grafts), env=reproducible_env(spec.epoch))


def _core(spec: IsoSpec, menu: bytes, work: Path, tools: Sandbox) -> bytes:
    """Return GRUB's image for a BIOS, which finds the medium by itself."""
    platform = child.inside(tools.root, read_platform, _BIOS)
    early, core = work / "early.cfg", work / "core.img"
    early.write_bytes(menu)
    argv = [f"{platform.directory}-mkimage", "-O", f"{_BIOS}-eltorito", "-d", f"/usr/lib/grub/{_BIOS}"]
    argv += ["-p", "/boot/grub", "-c", str(early), "-o", str(core), *_MODULES.split()]
    tools.run(argv, env=reproducible_env(spec.epoch))
    return core.read_bytes()


def _command(spec: IsoSpec, target: Path, hybrid: Path, efi: Path, grafts: list[str]) -> list[str]:
    when = datetime.fromtimestamp(spec.epoch, UTC).strftime("%Y%m%d%H%M%S00")
    return [
        *("xorriso", "-as", "mkisofs", "-quiet", "-o", str(target), "-V", spec.label, "-r", "-iso-level", "3"),
        *(f"--modification-date={when}", "--set_all_file_dates", when),
        *("-b", _TORITO, "-no-emul-boot", "-boot-load-size", "4", "-boot-info-table", "--grub2-boot-info"),
        *("--grub2-mbr", str(hybrid), "-partition_offset", "16"),
        *("-append_partition", "2", "0xef", str(efi), "-appended_part_as_gpt"),
        *("-eltorito-alt-boot", "-e", "--interval:appended_partition_2:all::", "-no-emul-boot"),
        *("--gpt_disk_guid", spec.disk_uuid, "-graft-points", *grafts),
    ]
