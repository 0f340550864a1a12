"""A stanza of control fields, deb822(5): of a Packages index, and of a package's own control file.

* A field is there once, whatever its letters' case, and a folded line continues one: dpkg and apt refuse no more than
  this, but would not agree on which of two counts.
* Raises TrustError.
"""

from __future__ import annotations

from oic.errors import TrustError


def fields_of_stanza(text: str) -> dict[str, str]:
    """Return a stanza's fields by lower-case name, folded lines joined by a space."""
    fields: dict[str, str] = {}
    name = ""
    for line in text.split("\n"):
        if line[:1] in (" ", "\t"):
            if not name:
                raise TrustError(f"expected a field, found a folded line first: {line.strip()[:60]!r}")
            fields[name] += " " + line.strip()
            continue
        head, colon, value = line.partition(":")
        if colon:
            name = head.strip().lower()
            if name in fields:
                raise TrustError(f"expected the field {head.strip()[:40]!r} once, found it again")
            fields[name] = value.strip()
        elif line.strip():
            raise TrustError(f"expected a field and its value, found {line[:60]!r}")
    return fields
