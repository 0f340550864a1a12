"""What is on a disk, as wipefs(8) finds it: names of partition tables, file systems and parts of arrays."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from .door import run
from .errors import InstallError

if TYPE_CHECKING:
    from .disks import Disk


def signatures_of(path: str) -> list[str]:
    """Return the names of signatures on a device, each once, in their order; raises InstallError if it fails."""
    output = run(["wipefs", "--no-act", "--json", path])
    try:
        found = json.loads(output)["signatures"] if output.strip() else []
        return list(dict.fromkeys(str(one["type"]) for one in found))
    except (ValueError, LookupError, TypeError):
        raise InstallError(f"expected JSON from wipefs of {path}, found something else") from None


def contents_of(disk: Disk) -> str:
    """Return what is on a disk in words, or nothing of an empty one; what cannot be read does not count as empty."""
    try:
        names = signatures_of(disk.path)
    except InstallError as error:
        return f"cannot be read: {error.message.splitlines()[-1].strip()}"
    shown = ", ".join(name for name in names if name != "PMBR" or names == ["PMBR"])
    count = len(disk.partitions)
    if count:
        return f"{shown or 'no table'}, {count} partition{'s' if count > 1 else ''}"
    return shown
