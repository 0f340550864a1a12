"""GRUB's two images for a BIOS, told where they lie. Pure: bytes in, bytes out.

    sector 0          core              core + 1 …
    | boot code | MBR | first of core | rest of core |

The boot code loads one sector of the core image, which loads the others by its block list.

Format: GRUB 2.06, include/grub/i386/pc/boot.h and grub-core/boot/i386/pc/{boot,diskboot}.S, as grub-bios-setup
(util/setup.c) fills them in; all numbers are little-endian.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from oic.config.sizes import SECTOR
from oic.errors import OicError
from oic.image.disk.kinds import BOOT_CODE

if TYPE_CHECKING:
    from oic.values import Sector

_KERNEL_SECTOR = 0x5C
_DRIVE_CHECK = 0x66
_NO_FLOPPY_PROBE = b"\x90\x90"  # two no-operations in place of a jump: the drive is what the BIOS says it is
_BLOCK_LIST = SECTOR - 12
_LOAD_SEGMENT = 0x820


def boot_code(boot_image: bytes, core_at: Sector) -> bytes:
    """Return the code of sector 0 that loads the core image at a sector; raises OicError for another file."""
    if len(boot_image) != SECTOR or boot_image[-2:] != b"\x55\xaa":
        raise OicError(f"expected GRUB's boot.img of {SECTOR} bytes, found something else")
    code = bytearray(boot_image[:BOOT_CODE])
    struct.pack_into("<Q", code, _KERNEL_SECTOR, core_at)
    code[_DRIVE_CHECK : _DRIVE_CHECK + 2] = _NO_FLOPPY_PROBE
    return bytes(code)


def core_image(core: bytes, core_at: Sector, room: int) -> bytes:
    """Return a core image in whole sectors that knows where the rest of it lies; raises OicError without room."""
    count = -(-len(core) // SECTOR)
    if count < 2:
        raise OicError("expected a core image of GRUB of two sectors at least, found something else")
    if count > room:
        text = f"no room for GRUB's core image: it takes {count} sectors, the disk has {room} for it"
        raise OicError(text, hint="let the first partition begin at 1 MiB")
    image = bytearray(core.ljust(count * SECTOR, b"\0"))
    struct.pack_into("<QHH", image, _BLOCK_LIST, core_at + 1, count - 1, _LOAD_SEGMENT)
    return bytes(image)
