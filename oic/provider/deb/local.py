"""Make a Packages file of package files, as dpkg-scanpackages does: the fields of their control files, size and sha256.

Only the fields that the solver reads are in it. `oic.provider.deb.packages` reads it as any other, so what a control
file may not hold is refused there or here by a TrustError.
"""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

from oic.provider.deb.archive import read_deb
from oic.provider.deb.packages import parse_package
from oic.provider.described import DescribedPackage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from oic.values import Digest

_FIELDS = (
    *("Package", "Version", "Architecture", "Multi-Arch", "Essential", "Protected", "Important", "Priority"),
    *("Pre-Depends", "Depends", "Recommends", "Conflicts", "Breaks", "Replaces", "Provides"),
)


def describe(file: IO[bytes], digest: Digest, size: int, *, where: str) -> DescribedPackage:
    """Return what a package file says of itself; raises TrustError."""
    fields = read_deb(file, where).fields
    lines = [f"{name}: {' '.join(fields[name.lower()].split())}" for name in _FIELDS if fields.get(name.lower())]
    location = f"{fields['package']}_{fields['version']}_{fields['architecture']}.deb"
    lines += [f"Filename: {location}", f"Size: {size}", f"SHA256: {digest}", ""]
    entry = "\n".join(lines).encode()
    package = parse_package(entry, where, fields["architecture"])
    return DescribedPackage(
        name=package.name,
        version=package.version,
        architecture=package.architecture,
        independent=package.architecture == "all",
        location=location,
        entry=entry,
    )


def listing(entries: Sequence[bytes]) -> bytes:
    """Return the Packages file of these entries."""
    return b"\n".join(entries)
