"""Make a primary.xml of package files, as createrepo_c does: from their headers, with size and sha256.

* All files of a package are in it, so no filelists are needed.
* What rpm itself provides (``rpmlib(…)``), and a file that the package requires and has, are left out of the requires.
* `oic.provider.rpm.pool` reads it as any other. A name that XML cannot hold is refused by a TrustError.

The format is createrepo_c's; the flags are those of ``rpmds.h``.
"""

from __future__ import annotations

import re
import stat
from typing import IO, TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from oic.errors import TrustError
from oic.provider.described import DescribedPackage
from oic.provider.rpm.header import read_rpm
from oic.provider.rpm.package import files_of, nevra_of
from oic.provider.rpm.tags import RELATIONS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from oic.provider.rpm.header import Header
    from oic.provider.rpm.package import File
    from oic.values import Digest

_COMMON, _RPM = "http://linux.duke.edu/metadata/common", "http://linux.duke.edu/metadata/rpm"
_COMPARED = {2: "LT", 4: "GT", 8: "EQ", 10: "LE", 12: "GE"}
_COMPARES, _BEFORE_SCRIPTS = 0b1110, 1 << 6 | 1 << 9 | 1 << 10
"""RPMSENSE_SENSEMASK; and PREREQ, SCRIPT_PRE and SCRIPT_POST, which createrepo_c marks."""
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def describe(file: IO[bytes], digest: Digest, size: int, *, where: str) -> DescribedPackage:
    """Return what a package file says of itself; raises TrustError."""
    header = read_rpm(file, where).header
    found, files = nevra_of(header), files_of(header)
    epoch, _, rest = f"{'' if ':' in found.version else '0:'}{found.version}".partition(":")
    version, _, release = rest.rpartition("-")
    location = f"{found.name}-{rest}.{found.architecture}.rpm"
    lines = [
        '<package type="rpm">',
        f"<name>{escape(found.name)}</name><arch>{escape(found.architecture)}</arch>",
        f"<version epoch={quoteattr(epoch)} ver={quoteattr(version)} rel={quoteattr(release)}/>",
        f'<checksum type="sha256" pkgid="YES">{digest}</checksum>',
        f'<size package="{size}"/><location href={quoteattr(location)}/><format>',
        *(line for name in RELATIONS for line in _relations(header, name, files)),
        *map(_file_element, files),
        "</format></package>",
    ]
    text = "\n".join(lines)
    if _NOT_XML.search(text):
        raise TrustError("expected names of printable UTF-8 in the header, found other bytes", where=where)
    return DescribedPackage(
        name=found.name,
        version=found.version,
        architecture=found.architecture,
        independent=found.architecture == "noarch",
        location=location,
        entry=text.encode(),
    )


def listing(entries: Sequence[bytes]) -> bytes:
    """Return the primary.xml of these entries."""
    head = f'<?xml version="1.0" encoding="UTF-8"?>\n<metadata xmlns="{_COMMON}" xmlns:rpm="{_RPM}">\n'
    return b"\n".join([head.encode(), *entries, b"</metadata>\n"])


def _relations(header: Header, name: str, files: Sequence[File]) -> Iterator[str]:
    tags = RELATIONS[name]
    columns = header.strings(tags.names), header.strings(tags.versions), header.numbers(tags.flags)
    if len({len(column) for column in columns}) != 1:
        raise TrustError(
            f"expected a version and flags for each of its {name}, found none for some", where=header.where
        )
    own = {file.path for file in files} if name == "requires" else set()
    every = dict.fromkeys(zip(*columns, strict=True))
    rows = [row for row in every if row[0] not in own and not row[0].startswith("rpmlib(")]
    if rows:
        yield f"<rpm:{name}>"
        for capability, version, flags in rows:
            first = ' pre="1"' if name == "requires" and flags & _BEFORE_SCRIPTS else ""
            yield f"<rpm:entry name={quoteattr(capability)}{_compared(version, flags)}{first}/>"
        yield f"</rpm:{name}>"


def _compared(version: str, flags: int) -> str:
    word = _COMPARED.get(flags & _COMPARES)
    if not word or not version:
        return ""
    epoch, _, rest = f"{'' if ':' in version else '0:'}{version}".partition(":")
    ver, dash, rel = rest.partition("-")
    end = f" rel={quoteattr(rel)}" if dash else ""
    return f' flags="{word}" epoch={quoteattr(epoch)} ver={quoteattr(ver)}{end}'


def _file_element(file: File) -> str:
    kind = ' type="ghost"' if file.ghost else ' type="dir"' if stat.S_ISDIR(file.mode) else ""
    return f"<file{kind}>{escape(file.path)}</file>"
