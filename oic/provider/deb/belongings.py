"""Whose a path is, as dpkg's database in the tree says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oic.provider.belongings import Belongings, unmerged

if TYPE_CHECKING:
    from pathlib import Path

_SCRIPTS = ("preinst", "postinst")


def lists_in(root: Path) -> Belongings:
    """Return the lists and the scripts of ``/var/lib/dpkg/info``. Runs with the tree as its root."""
    info = root / "var/lib/dpkg/info"
    owners: dict[str, tuple[str, ...]] = {}
    for file in sorted(info.glob("*.list")):
        for line in file.read_text("utf-8", "surrogateescape").splitlines():
            path = unmerged(line)
            owners[path] = (*owners.get(path, ()), file.name.removesuffix(".list"))
    scripts = {
        f"the {kind} of {file.name.removesuffix(f'.{kind}')}": file.read_text("utf-8", "replace")
        for kind in _SCRIPTS
        for file in sorted(info.glob(f"*.{kind}"))
    }
    return Belongings(owners=owners, scripts=scripts)
