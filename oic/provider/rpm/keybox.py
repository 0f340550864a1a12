"""Make root's gpg keyring reproducible: scriptlets import distribution keys into it.

Packages with a distribution's keys run ``gpg --import`` as root, and gpg writes the time into its files. During the
transaction, gpg's configuration sets its clock (gpg(1), ``--faked-system-time``). The header of the keybox has the
machine's time all the same and is corrected afterwards (gnupg's kbx/keybox-blob.c: magic ``KBXf`` at 8, times at 16
and 20).
"""

from __future__ import annotations

import contextlib
import struct
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from oic.process import child
from oic.provider.rpm.temporary_file import temporary_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_HOME = "root/.gnupg"
_OF_THIS_RUN = ("S.*", ".#lk*", "*.lock", "random_seed", "gnupg_spawn_agent_sentinel*")
_MAGIC = b"KBXf"
_HEADER = 32


@contextlib.contextmanager
def reproducible_keyring(root: Path, epoch: int) -> Iterator[None]:
    """Make root's gpg in the tree `root` use `epoch` as the time."""
    clock = datetime.fromtimestamp(epoch, UTC).strftime("%Y%m%dT%H%M%S")
    with temporary_file(root, f"{_HOME}/gpg.conf", f"faked-system-time {clock}!\n", mode=0o700):
        try:
            yield
        finally:
            child.inside(root, _set_times, epoch)


def _set_times(root: Path, epoch: int) -> None:
    for pattern in _OF_THIS_RUN:
        for path in (root / _HOME).glob(pattern):
            path.unlink()
    for box in (root / _HOME).glob("*.kbx*"):
        content = box.read_bytes()
        if len(content) >= _HEADER and content[8:12] == _MAGIC:
            box.write_bytes(content[:16] + struct.pack(">II", epoch, epoch) + content[24:])
