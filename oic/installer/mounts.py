"""Mounts what was installed, to change files in it and to enlarge what only can be enlarged so."""

from __future__ import annotations

import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from .disks import partition_path
from .door import run
from .errors import InstallError
from .grow import EXT, MOUNTED, grow_mounted
from .state import mount_state
from .tree import inside

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .disks import Machine
    from .payload import Partition, Payload

_TARGET = Path("/run/oic/target")
_PATIENCE = 20.0
"""Seconds within which the kernel has devices of partitions."""
_NOT_MOUNTED = ("swap", "linux-swap", "")


@contextmanager
def mounted_system(machine: Machine, disk: str, payload: Payload) -> Iterator[Path]:
    """Mount the root and the partitions below it; not those that boot, which are not written yet.

    Of a root that is only read nothing is changed, not even its journal.
    """
    wanted = [one for one in payload.partitions if one.at and one.image and not one.boots]
    wanted = [one for one in wanted if one.type not in _NOT_MOUNTED]
    done: list[Path] = []
    _TARGET.mkdir(parents=True, exist_ok=True)
    try:
        for one in sorted(wanted, key=lambda one: (one.at.count("/"), one.at) if one.at != "/" else (0, "")):
            at = inside(_TARGET, one.at)
            if not at.is_dir():
                raise InstallError(f"expected the directory {one.at} in the installed system, found none")
            options = "rw,nodev"
            if payload.state and one.at == "/":
                options = "ro,noload" if one.type in EXT else "ro"
            run(["mount", "-o", options, str(device_of(machine, disk, one)), str(at)])
            done.append(at)
        for at in mount_state(_TARGET, payload.state) if payload.state else ():
            done.append(at)  # noqa: PERF402 - what is mounted is unmounted, even if the next mount fails
        yield _TARGET
    finally:
        for at in reversed(done):
            run(["umount", str(at)])


def grow_in_mount(machine: Machine, disk: str, partition: Partition) -> None:
    """Enlarge a file system that has to be mounted for it."""
    assert partition.type in MOUNTED
    _TARGET.mkdir(parents=True, exist_ok=True)
    run(["mount", "-o", "rw,nodev", str(device_of(machine, disk, partition)), str(_TARGET)])
    try:
        grow_mounted(partition.type, _TARGET)
    finally:
        run(["umount", str(_TARGET)])


def device_of(machine: Machine, disk: str, partition: Partition) -> Path:
    """Return a partition's device, once the kernel has it."""
    until = time.monotonic() + _PATIENCE
    while True:
        path = partition_path(machine, disk, partition.number)
        if path and path.exists():
            return path
        if time.monotonic() > until:
            raise InstallError(f"expected a device of partition {partition.number} of {disk}, found none")
        time.sleep(0.2)
