"""The interface to image tools, which are programs from packages of the distribution.

In a build they run in the chroot, where the working directories have the same absolute paths as outside.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Tools(Protocol):
    """Runs the programs that create file systems and boot images."""

    def run(self, argv: Sequence[str], *, env: Mapping[str, str]) -> object:
        """Run a program and wait until it ends; raises ToolError when it fails. Callers do not use its output."""


def reproducible_env(epoch: int) -> dict[str, str]:
    """Return an environment that makes a tool's output depend on its input only: fixed time, time zone and locale.

    e2fsprogs uses ``E2FSPROGS_FAKE_TIME``; it knows ``SOURCE_DATE_EPOCH`` only since version 1.47.1.
    """
    return {
        "LC_ALL": "C",
        "TZ": "UTC",
        "SOURCE_DATE_EPOCH": str(epoch),
        "E2FSPROGS_FAKE_TIME": str(epoch),
        "MKE2FS_CONFIG": "/dev/null",
        "MTOOLSRC": "/dev/null",
    }
