"""A unit that enlarges the last partition to the end of its device, at each boot at which there is room behind it.

::

    grow-last-partition.service ─> systemd-growfs (x-systemd.growfs in fstab) ─> the file system, while it is mounted

* sfdisk(8) writes the table, and moves a GPT's backup to the end; partx(8) tells the kernel.
* Of a logical partition, the extended one that holds it grows first.
"""

from __future__ import annotations

import string
from typing import TYPE_CHECKING

from oic.errors import OicError
from oic.values import Value

if TYPE_CHECKING:
    from pathlib import Path

FSTAB_OPTION = "x-systemd.growfs"
_NAME = "grow-last-partition"
_PROGRAM = f"usr/lib/{_NAME}"
_UNIT = f"etc/systemd/system/{_NAME}.service"
_LINK = f"etc/systemd/system/local-fs.target.wants/{_NAME}.service"
_UNESCAPED = frozenset(f"{string.ascii_letters}{string.digits}:_.")
_NEEDED = {
    "sfdisk": ("usr/sbin/sfdisk",),
    "partx": ("usr/bin/partx", "usr/sbin/partx"),
    "systemd-growfs": ("usr/lib/systemd/systemd-growfs",),
}


class Growth(Value):
    """The partition that grows: its PARTUUID, its number, and where it is mounted; empty for nowhere.

    `extended` is the number of the extended partition that holds it, or 0.
    """

    part_uuid: str
    number: int
    extended: int
    at: str


def write(root: Path, growth: Growth | None) -> None:
    """Write and enable the unit; raises OicError where a program is missing. Runs with the tree as its root."""
    if growth is None:
        return
    needed = {name: paths for name, paths in _NEEDED.items() if growth.at or name != "systemd-growfs"}
    missing = [name for name, paths in needed.items() if not any((root / path).exists() for path in paths)]
    if missing:
        text = f"expected {' and '.join(missing)} in the image, for a partition that grows, found none"
        raise OicError(text, hint="name the package that has it, fdisk or util-linux or systemd, in packages")
    for name, text, mode in ((_PROGRAM, program_text(growth), 0o755), (_UNIT, unit_text(growth), 0o644)):
        (root / name).write_text(text, encoding="utf-8")
        (root / name).chmod(mode)
    link = root / _LINK
    link.parent.mkdir(parents=True, exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(f"/{_UNIT}")


def program_text(growth: Growth) -> str:
    """Return the program that the unit runs, in sh(1); sizes in sysfs are in sectors of 512 bytes."""
    numbers = " ".join(str(number) for number in (growth.extended, growth.number) if number)
    return f"""#!/bin/sh
set -eu
partition=$(readlink -f /dev/disk/by-partuuid/{growth.part_uuid})
own=$(readlink -f "/sys/class/block/${{partition##*/}}")
disk=/dev/$(basename "${{own%/*}}")
free=$(($(cat "${{own%/*}}/size") - $(cat "$own/start") - $(cat "$own/size")))
[ "$free" -ge 8192 ] || exit 0
for number in {numbers}; do
    echo ', +' | sfdisk --quiet --force --no-reread --no-tell-kernel -N "$number" "$disk"
done
partx --update --nr {growth.number} "$disk"
"""


def unit_text(growth: Growth) -> str:
    """Return the text of the unit, systemd.unit(5)."""
    device = f"dev-disk-by\\x2dpartuuid-{unit_name(growth.part_uuid)}.device"
    before = [f"systemd-growfs@{unit_name(growth.at)}.service"] if growth.at else []
    before += ["systemd-growfs-root.service"] if growth.at == "/" else []
    return f"""[Unit]
Description=Grow the last partition to the end of its device
DefaultDependencies=no
Conflicts=shutdown.target
Wants={device}
After={device}
Before={" ".join([*before, "shutdown.target"])}

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/{_PROGRAM}

[Install]
WantedBy=local-fs.target
"""


def unit_name(path: str) -> str:
    """Return a path as it is part of a unit's name, systemd.unit(5), "String Escaping for Inclusion in Unit Names"."""
    inner = path.strip("/")
    if not inner:
        return "-"
    escaped = ["-" if char == "/" else char if char in _UNESCAPED else _escaped(char) for char in inner]
    return "".join(escaped) if not inner.startswith(".") else f"\\x2e{''.join(escaped[1:])}"


def _escaped(char: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in char.encode())
