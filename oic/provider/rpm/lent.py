"""A file put into a tree for the time of a transaction, gone afterwards with the directories made for it."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextlib.contextmanager
def lent_file(root: Path, name: str, text: str, *, mode: int = 0o755) -> Iterator[Path]:
    """Write `text` to the file `name` below `root`; its directory, if missing, is made with `mode`.

    A directory that a package has come to own meanwhile, or that something was put into, stays.
    """
    path = root / name
    missing = [parent for parent in path.parents if not parent.exists()]
    path.parent.mkdir(mode=mode, parents=True, exist_ok=True)
    path.write_text(text, encoding="ascii")
    try:
        yield path
    finally:
        # A scriptlet may have cleaned up there, or put in place of the directory a link that is not to be followed.
        if path.parent.resolve().is_relative_to(root.resolve()):
            path.unlink(missing_ok=True)
        for directory in missing:
            with contextlib.suppress(OSError):
                directory.rmdir()
