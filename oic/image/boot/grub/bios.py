"""GRUB for a BIOS: code in the first sector, a core image in its partition or gap, the rest in the tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oic.image.boot import BootParts
from oic.image.boot.grub.embed import boot_code, core_image
from oic.image.boot.grub.files import private_files, read_file, read_platform, tree_files
from oic.image.boot.grub.menu import settings_text
from oic.image.boot.place import CORE_READS
from oic.image.tools import reproducible_env
from oic.process import child

if TYPE_CHECKING:
    from pathlib import Path

    from oic.chroot.sandbox import Sandbox
    from oic.image.boot import Bootable

_PLATFORM = "i386-pc"
_TABLES = {"gpt": ("part_gpt", "gpt"), "mbr": ("part_msdos", "msdos")}
"""GRUB's module and word for each kind of partition table."""


def make_parts(wanted: Bootable, work: Path, tools: Sandbox) -> BootParts:
    """Make boot code, core image and files of the tree; see `oic.image.boot.BootMethod`."""
    place = wanted.place
    assert place is not None
    assert place.core is not None
    platform = child.inside(tools.root, read_platform, _PLATFORM)
    table, word = _TABLES[place.table]
    prefix = f"(,{word}{place.number}){place.path_of(f'boot/{platform.directory}')}"  # of the disk that was booted
    core = work / "core.img"
    argv = [f"{platform.directory}-mkimage", "-O", _PLATFORM, "-d", f"/usr/lib/grub/{_PLATFORM}", "-p", prefix]
    argv += ["-o", str(core), "biosdisk", table, CORE_READS[place.file_system]]
    tools.run(argv, env=reproducible_env(wanted.epoch))
    boot_image = child.inside(tools.root, read_file, f"usr/lib/grub/{_PLATFORM}/boot.img")
    return BootParts(
        tree=tree_files(wanted, platform, serial=True),
        settings=settings_text(wanted, serial=True),
        private=private_files(platform),
        boot_code=boot_code(boot_image, place.core.sector),
        core=core_image(core.read_bytes(), place.core.sector, place.core.sectors),
    )
