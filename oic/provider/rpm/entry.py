"""Check a package's entry in primary. A bad entry excludes its package, not the whole repository.

* Name, version and location must be well-formed; a size and a sha256 checksum must be there.
* A package of the same name from a repository of lower priority, or one that only provides the name, does not replace
  a bad entry. Otherwise an error in a distribution's index would let another repository take over the package.
"""

from __future__ import annotations

import re
from typing import Any

import solv

from oic.provider.rpm.repomd import safe_location
from oic.provider.rpm.version import EVR, NAME

_MAX_NAME = 240
"""Characters of name, version and architecture together: they form a file name (limits.h(0p))."""
_MAX_SIZE = 2**40
_SHA256 = re.compile(r"sha256:[0-9a-f]{64}")


def location_of(package: Any) -> str:
    """Return the path of a package below its repository."""
    return str(package.lookup_location()[0] or "")


def printable_name(package: Any) -> str:
    """Return a package's name, version and architecture in a form that can be printed."""
    text = str(package)
    return text if len(text) <= _MAX_NAME and NAME.fullmatch(package.name) and text.isprintable() else repr(text[:120])


def problem_of(package: Any) -> str:
    """Return what is wrong with a package's entry; empty when it is good."""
    if len(str(package)) > _MAX_NAME or not NAME.fullmatch(package.name) or not EVR.fullmatch(package.evr):
        return f"expected a package's name and version, found {str(package)[:120]!r}"
    base = package.lookup_str(solv.SOLVABLE_MEDIABASE)  # xml:base: a place outside the repository
    if base or not safe_location(location_of(package)):
        found = "/".join(filter(None, (base, location_of(package))))
        return f"expected {package} below the repository, found it at {found[:120]!r}"
    checksum = package.lookup_checksum(solv.SOLVABLE_CHECKSUM)
    if not checksum or not _SHA256.fullmatch(str(checksum)):
        return f"expected a sha256 checksum of {package}, found {str(checksum)[:20]}"
    if not 0 < (size := package.lookup_num(solv.SOLVABLE_DOWNLOADSIZE)) <= _MAX_SIZE:
        return f"expected the size of {package}, found {size or 'none'}"
    return ""
