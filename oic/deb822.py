"""The fields of deb822(5): in Release files, Packages indexes, control files of packages, and sources of apt.

* Only a newline ends a line, as in dpkg.
* A field occurs once, whatever the case of its name: dpkg and apt would not agree on which of two counts.
* A line that is neither a field nor the continuation of one is refused, and so is a blank line within a stanza.
* Raises TrustError.

python-debian was tried: it keeps the last of two fields of one name, drops lines that are no field, and needs 24 times
as long for Debian's index.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from oic.errors import TrustError

if TYPE_CHECKING:
    from collections.abc import Iterator


def fields_of(stanza: str, *, where: str | None = None) -> dict[str, str]:
    """Return the fields of one stanza by lower-case name; each line of a value is stripped."""
    fields: dict[str, str] = {}
    name = ""
    text = stanza.strip("\r\n")
    for line in text.split("\n") if text else ():
        if line[:1] in (" ", "\t"):
            if not name:
                raise TrustError(
                    f"expected a field, found a continuation line first: {line.strip()[:60]!r}", where=where
                )
            fields[name] += "\n" + line.strip()
            continue
        head, colon, value = line.partition(":")
        name = head.strip().lower()
        if not colon or not name:
            found = repr(line[:60]) if line.strip() else "a blank line"
            raise TrustError(f"expected a field and its value, found {found}", where=where)
        if name in fields:
            raise TrustError(f"expected the field {head.strip()[:40]!r} once, found it again", where=where)
        fields[name] = value.strip()
    return fields


def stanzas_of(text: str) -> Iterator[str]:
    """Yield the stanzas of a file that may hold comments and blank lines of white space, as sources.list(5) has it."""
    lines = [line.rstrip() for line in text.split("\n") if not line.startswith("#")]
    yield from filter(None, "\n".join(lines).split("\n\n"))


def places_of(data: bytes, start: int = 0) -> Iterator[tuple[int, int]]:
    """Yield where each stanza from `start` on begins and ends: of an index, without reading any."""
    while start < len(data):
        end = data.find(b"\n\n", start)
        end = len(data) if end < 0 else end + 2
        yield start, end
        start = end
