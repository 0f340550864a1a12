"""How image tools are reached: programs of the distribution's own packages, run where the caller says.

In a build they run inside the chroot, where the working directories have the same absolute paths as outside.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Tools(Protocol):
    """One door to the programs that make file systems and boot images."""

    def run(self, argv: Sequence[str], *, env: Mapping[str, str]) -> object:
        """Run a program to its end; raises ToolError when it fails. What it prints is of no use to anyone here."""


def reproducible_env(epoch: int) -> dict[str, str]:
    """Return the variables under which a tool's output depends on its input alone: time, zone and locale are fixed.

    ``E2FSPROGS_FAKE_TIME`` is e2fsprogs' own word for ``SOURCE_DATE_EPOCH``, which it knows only since 1.47.1.
    """
    return {
        "LC_ALL": "C",
        "TZ": "UTC",
        "SOURCE_DATE_EPOCH": str(epoch),
        "E2FSPROGS_FAKE_TIME": str(epoch),
        "MKE2FS_CONFIG": "/dev/null",
        "MTOOLSRC": "/dev/null",
    }
