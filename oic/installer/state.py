"""Where the root is only read, what is written goes where the booted system has it.

::

    partition of the state ─┬─ .state/etc, an overlay ──> /etc
                            └─ .state/var, a copy ──────> /var      (the other directories alike)

The system does the same at each boot, in its initramfs (docs/immutability.md): what is there by then, it leaves as it
is.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from .door import run
from .tree import inside

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .payload import State

_NAME = ".state"


def mount_state(root: Path, state: State) -> Iterator[Path]:
    """Mount what can be written over a root that is only read, and yield the place of each mount."""
    assert state.partition
    place = inside(root, state.partition.at) / _NAME
    place.mkdir(mode=0o700, exist_ok=True)
    for path in state.directories:
        name = path.strip("/")
        if (root / name).is_symlink():  # into another one of them
            continue
        own = place / name
        if not own.is_dir():
            aside = own.with_name(f"{own.name}.new")
            run(["cp", "-a", str(root / name), str(aside)])
            os.sync()
            aside.rename(own)
        run(["mount", "--bind", str(own), str(root / name)])
        yield root / name
    upper, work = place / "etc/upper", place / "etc/work"
    upper.mkdir(parents=True, exist_ok=True)
    work.mkdir(exist_ok=True)
    at = root / "etc"
    run(["mount", "-t", "overlay", "-o", f"lowerdir={at},upperdir={upper},workdir={work}", "overlay", str(at)])
    yield at
