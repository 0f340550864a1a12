"""Which disk an installation takes. Pure.

* A path, where one is given; else what the strategy says of the disks that can be taken; else the only one of them.
* ``first``: the first by device number, as lsblk(8) lists them. ``largest``: the largest. ``fastest``: NVMe before
  virtio, SAS and SCSI, SATA, MMC and USB; then what does not rotate, then the larger, then by path. Public tools mean
  the same.
* The medium, a disk in use, a read-only one and one that is too small cannot be taken in any way.
* A disk with data cannot be taken where an empty one is required, by its path neither: public tools erase it then.
* A machine that starts from the medium again, after an installation, must not install on its next disk: without a path,
  no disk is taken while another one has this medium's image.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .errors import InstallError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .disks import Disk

INTERRUPTED = "interrupted installation"
"""The contents of a disk that counts as empty all the same, see `marker`."""
INSTALLED = "installed from this medium"
"""What the contents of a disk end with that an earlier run has installed the image on."""
SECTOR = 512
_AGAIN = (
    "to start what is installed, remove the medium and restart; to install it anew, say the disk's path and"
    " disk.require-empty=false in the answers (oic.disk=PATH oic.disk.require-empty=false); nothing was written"
)
_TIERS = ("nvme", "virtio", "sas", "scsi", "sata", "mmc", "usb")
_UNITS = ("bytes", "kB", "MB", "GB", "TB", "PB")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What answers and recipe say of the disk; `least` is how many bytes it has to have."""

    path: str = ""
    strategy: str = ""
    exclude_removable: bool = True
    require_empty: bool = True
    least: int = 0


def choose_disk(disks: Sequence[Disk], contents: Mapping[str, str], wish: Wish) -> Disk:
    """Return the disk to install on; `contents` says by path what is on a disk, nothing of an empty one.

    Raises InstallError that lists the disks.
    """
    if wish.path:
        return _named(disks, contents, wish)
    refused = {disk.path: refusal(disk, contents[disk.path], wish) for disk in disks}
    done = [disk.path for disk in disks if contents[disk.path].endswith(INSTALLED)]
    if done and wish.require_empty:
        text = f"expected no disk that has the image already, found {', '.join(done)}"
        raise InstallError(f"{text}{listing(disks, contents, refused)}", hint=_AGAIN)
    able = [disk for disk in disks if not refused[disk.path]]
    if not able:
        text = "expected a disk to install on, found none" + (" that can be taken" if disks else "")
        raise InstallError(f"{text}{listing(disks, contents, refused)}", hint=_hint(disks, contents, wish))
    if wish.strategy == "largest":
        return min(able, key=lambda disk: (-disk.size, disk.path))
    if wish.strategy == "fastest":
        return min(able, key=_speed)
    if wish.strategy == "first" or len(able) == 1:
        return able[0]
    text = f"expected one disk to install on or a choice between them, found {len(able)} that can be taken"
    hint = "say disk=PATH or disk.strategy=first, largest or fastest in the answers; nothing was written"
    raise InstallError(f"{text}{listing(disks, contents, refused)}", hint=hint)


def _named(disks: Sequence[Disk], contents: Mapping[str, str], wish: Wish) -> Disk:
    listed = {disk.path: refusal(disk, contents[disk.path], wish, named=True) for disk in disks}
    for disk in disks:
        if disk.path == wish.path and listed[disk.path]:
            text = f"expected a disk that can be taken at {wish.path}, but it {listed[disk.path]}"
            raise InstallError(f"{text}{listing(disks, contents, listed)}", hint=_hint([disk], contents, wish))
        if disk.path == wish.path:
            return disk
    text = f"expected a disk at {wish.path}, found no such disk"
    raise InstallError(f"{text}{listing(disks, contents, listed)}", hint="nothing was written")


def refusal(disk: Disk, contents: str, wish: Wish, *, named: bool = False) -> str:
    """Return why a disk cannot be taken, as what follows its name, or nothing; `named` for one that is asked for."""
    has_data = contents not in ("", INTERRUPTED)
    reasons = (
        (bool(disk.used), disk.used),
        (disk.is_read_only, "is read-only"),
        (disk.sector != SECTOR, f"has sectors of {disk.sector} bytes, the image is for {SECTOR}"),
        (disk.size < wish.least, f"is too small, {size_text(wish.least)} are needed"),
        (disk.is_removable and wish.exclude_removable and not named, "is removable"),
        (has_data and wish.require_empty, "has data"),
    )
    return next((reason for is_so, reason in reasons if is_so), "")


def listing(disks: Sequence[Disk], contents: Mapping[str, str], refused: Mapping[str, str]) -> str:
    """Return a line for each disk: path, size, how it is attached, model, what is on it, why it cannot be taken."""
    rows = [
        (disk.path, size_text(disk.size), disk.transport or "-", disk.model or "-", contents[disk.path] or "empty")
        for disk in disks
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for disk, row in zip(disks, rows, strict=True):
        cells = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        reason = refused[disk.path]
        lines.append(f"\n  {cells}  {reason}".rstrip() if reason else f"\n  {cells}  can be taken")
    return "".join(lines)


def size_text(size: int) -> str:
    """Return a size as disks are sold: 16.1 GB."""
    value, unit = float(size), 0
    while value >= 1000 and unit < len(_UNITS) - 1:
        value, unit = value / 1000, unit + 1
    return f"{value:.1f} {_UNITS[unit]}" if unit else f"{size} bytes"


def _speed(disk: Disk) -> tuple[int, bool, bool, int, str]:
    tier = _TIERS.index(disk.transport) if disk.transport in _TIERS else len(_TIERS)
    model = disk.model.lower()
    tier = _TIERS.index("sas") if disk.transport == "scsi" else tier
    return tier, disk.is_rotational, not ("ssd" in model or "nvme" in model), -disk.size, disk.path


def _hint(disks: Sequence[Disk], contents: Mapping[str, str], wish: Wish) -> str:
    """Return what would let one of the disks be taken."""
    done = "nothing was written"
    if not disks:
        return f"does the installer's kernel have a driver for the disk? {done}"
    if any(contents[disk.path].endswith(INSTALLED) for disk in disks) and wish.require_empty:
        return _AGAIN
    if any(refusal(disk, contents[disk.path], wish, named=bool(wish.path)) == "has data" for disk in disks):
        return f"to erase it, say disk.require-empty=false in the answers (oic.disk.require-empty=false); {done}"
    if any(refusal(disk, contents[disk.path], wish, named=bool(wish.path)) == "is removable" for disk in disks):
        return f"to take it all the same, say its path, or disk.exclude-removable=false, in the answers; {done}"
    return done
