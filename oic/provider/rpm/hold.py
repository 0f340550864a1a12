"""Replace programs that scriptlets start to make an initramfs or a boot entry, while a set is installed.

The image's initramfs and its boot files are made in their own stages. A scriptlet's result would be thrown away, and a
dracut with a host-only configuration would fit it to the building machine.

* By name: PATH begins with a directory of replacements, which do nothing and say so in the log.
* By path: ``/usr/bin/dracut`` reads a configuration file that makes it exit (dracut.conf(5): its shell sources them).
* Both are removed after the transaction. Scriptlets see exit status 0.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from oic.process import child
from oic.provider.rpm.temporary_file import temporary_file

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
"""Where the replacements are: in the sandbox's /tmp, so they are never part of the tree."""

_REPLACEMENT = '#!/bin/sh\necho "not run, it has a stage of its own: ${0##*/} $*" >&2\n'
_CONFIGURATION = "etc/dracut.conf.d/00-held.conf"
_ENDS_DRACUT = 'echo "not run, it has a stage of its own: dracut" >&2\nexit 0\n'


@contextlib.contextmanager
def without_generators(box: Sandbox) -> Iterator[str]:
    """Replace the programs in a sandbox; yield the PATH for scripts."""
    child.inside(box.tmp, _place)
    with temporary_file(box.root, _CONFIGURATION, _ENDS_DRACUT):
        yield f"/tmp/{_PLACE}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"  # noqa: S108 - the tmpfs of the sandbox


def _place(tmp: Path) -> None:
    place = tmp / _PLACE
    place.mkdir()
    for name in NAMES:
        (place / name).write_text(_REPLACEMENT, encoding="ascii")
        (place / name).chmod(0o755)
