"""Put a file into a tree for the time of a transaction, and remove it with the directories made for it."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from oic.process import child

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


@contextlib.contextmanager
def temporary_file(root: Path, name: str, text: str, *, mode: int = 0o755) -> Iterator[None]:
    """Write `text` to the file `name` in the tree `root`; missing directories are made with `mode`.

    Afterwards a directory stays if a package has changed it or put something into it.
    """
    missing = child.inside(root, _write, name, text, mode)
    try:
        yield
    finally:
        child.inside(root, _remove, name, missing)


def _write(root: Path, name: str, text: str, mode: int) -> list[Path]:
    path = root / name
    missing = [parent for parent in path.parents if not parent.exists()]
    path.parent.mkdir(mode=mode, parents=True, exist_ok=True)
    path.write_text(text, encoding="ascii")
    return missing


def _remove(root: Path, name: str, missing: Sequence[Path]) -> None:
    """Remove the file, which a scriptlet may have removed or replaced by a link, and directories that are empty."""
    with contextlib.suppress(OSError):
        (root / name).unlink(missing_ok=True)
    for directory in missing:
        with contextlib.suppress(OSError):
            directory.rmdir()
