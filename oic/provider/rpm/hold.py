"""Programs that packages' scripts start to make an initramfs or a boot entry, held back while a set is installed.

The image's initramfs is made once, in a stage of its own, and its boot files in another; what a script made here would
be thrown away, and a dracut that finds a host-only configuration would bind it to the building machine.

* By name: scripts search the directory of stand-ins first, which do nothing and say so in the log.
* By path: a dracut started as ``/usr/bin/dracut`` reads a configuration that ends it (dracut.conf(5): its files are
  sourced by the shell).
* Both are gone when the transaction is over. Scripts see them as success, as they would an image maker's own run.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from oic.process import child
from oic.provider.rpm.lent import lent_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from oic.chroot.sandbox import Sandbox

NAMES = (
    "dracut",
    "grub2-mkconfig",
    "grubby",
    "installkernel",
    "kernel-install",
    "mkinitrd",
    "new-kernel-pkg",
    "update-initramfs",
)
_PLACE = "held"
"""Where the stand-ins are, in the sandbox's /tmp: never part of the tree."""

_STAND_IN = '#!/bin/sh\necho "held back until its own stage: ${0##*/} $*" >&2\n'
_CONFIGURATION = "etc/dracut.conf.d/00-held.conf"
_ENDS_DRACUT = 'echo "held back until its own stage: dracut" >&2\nexit 0\n'


@contextlib.contextmanager
def held_back(box: Sandbox) -> Iterator[str]:
    """Hold the programs back in a sandbox; yield the search path for scripts."""
    child.inside(box.tmp, _place)
    with lent_file(box.root, _CONFIGURATION, _ENDS_DRACUT):
        yield f"/tmp/{_PLACE}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"  # noqa: S108 - the tmpfs of the sandbox


def _place(tmp: Path) -> None:
    place = tmp / _PLACE
    place.mkdir()
    for name in NAMES:
        (place / name).write_text(_STAND_IN, encoding="ascii")
        (place / name).chmod(0o755)
