"""The keyring that scriptlets import distribution keys into, made the same twice.

Packages with a distribution's keys run ``gpg --import`` for root; its files tell the time. While the transaction runs
gpg's configuration sets its clock (gpg(1), ``--faked-system-time``); the keybox's header, which goes by the machine's
clock all the same, is corrected afterwards (gnupg's kbx/keybox-blob.c: magic ``KBXf`` at 8, two times at 16 and 20).
"""

from __future__ import annotations

import contextlib
import struct
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from oic.process import child
from oic.provider.rpm.lent import lent_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_HOME = "root/.gnupg"
_OF_THIS_RUN = ("S.*", ".#lk*", "*.lock", "random_seed", "gnupg_spawn_agent_sentinel*")
_MAGIC = b"KBXf"
_HEADER = 32


@contextlib.contextmanager
def steady_keyring(root: Path, epoch: int) -> Iterator[None]:
    """Let root's gpg below `root` live in the second `epoch`."""
    clock = datetime.fromtimestamp(epoch, UTC).strftime("%Y%m%dT%H%M%S")
    with lent_file(root, f"{_HOME}/gpg.conf", f"faked-system-time {clock}!\n", mode=0o700):
        try:
            yield
        finally:
            child.inside(root, _steady, epoch)


def _steady(root: Path, epoch: int) -> None:
    for pattern in _OF_THIS_RUN:
        for path in (root / _HOME).glob(pattern):
            path.unlink()
    for box in (root / _HOME).glob("*.kbx*"):
        content = box.read_bytes()
        if len(content) >= _HEADER and content[8:12] == _MAGIC:
            box.write_bytes(content[:16] + struct.pack(">II", epoch, epoch) + content[24:])
