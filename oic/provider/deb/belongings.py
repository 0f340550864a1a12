"""Which package a path belongs to, by dpkg's database in the tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oic.provider.belongings import Belongings
from oic.provider.merged_usr import path_in_usr

if TYPE_CHECKING:
    from pathlib import Path

_SCRIPTS = ("preinst", "postinst")


def lists_in(root: Path) -> Belongings:
    """Read file lists, digests and scripts from ``/var/lib/dpkg``. Runs with the tree as its root."""
    info = root / "var/lib/dpkg/info"
    owners: dict[str, tuple[str, ...]] = {}
    for file in sorted(info.glob("*.list")):
        for line in _lines(file):
            path = path_in_usr(line)
            owners[path] = (*owners.get(path, ()), file.name.removesuffix(".list"))
    lines = [line for file in sorted(info.glob("*.md5sums")) for line in _lines(file)]
    sums = {path_in_usr(f"/{path}"): f"md5:{md5}" for md5, _, path in (line.partition("  ") for line in lines)}
    status = root / "var/lib/dpkg/status"
    words = [line.split() for line in (_lines(status) if status.is_file() else []) if line.startswith(" /")]
    sums |= {path_in_usr(pair[0]): f"md5:{pair[1]}" for pair in words if len(pair) > 1}
    scripts = {
        f"the {kind} of {file.name.removesuffix(f'.{kind}')}": file.read_text("utf-8", "replace")
        for kind in _SCRIPTS
        for file in sorted(info.glob(f"*.{kind}"))
    }
    return Belongings(owners=owners, scripts=scripts, sums=sums)


def _lines(file: Path) -> list[str]:
    return file.read_text("utf-8", "surrogateescape").splitlines()
