"""Which package a path belongs to, by the packages' headers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oic.provider.belongings import Belongings
from oic.provider.merged_usr import path_in_usr
from oic.provider.rpm.header import read_rpm
from oic.provider.rpm.package import file_hash_of, files_of
from oic.provider.rpm.scripts import texts_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from oic.ospackage.lock import LockedPackage


def belongings(packages: Sequence[tuple[LockedPackage, Path]]) -> Belongings:
    """Read file lists (including ghosts), digests, scriptlets and triggers of verified packages."""
    owners: dict[str, tuple[str, ...]] = {}
    scripts: dict[str, str] = {}
    sums: dict[str, str] = {}
    for package, file in packages:
        with file.open("rb") as opened:
            header = read_rpm(opened, f"{package.name} ({file})").header
        for listed in files_of(header):
            path = path_in_usr(listed.path)
            owners[path] = (*owners.get(path, ()), package.name)
            if listed.digest and not listed.ghost:
                sums[path] = f"{file_hash_of(header)}:{listed.digest}"
        scripts |= {f"the {word} of {package.name}": text for word, text in texts_of(header).items()}
    return Belongings(owners=owners, scripts=scripts, sums=sums)
