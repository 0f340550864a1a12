"""What a package's entry in primary must be to be used; one that is not costs its package, not the repository.

* Name, version and location are no trick, there is a size, and a checksum that the store can go by.
* A bad entry keeps its name: nothing that a repository of lower priority has, or that only provides the name, comes in
  its place. Else a slip in a distribution's index would let another repository take over the package.
"""

from __future__ import annotations

import re
from typing import Any

import solv

from oic.provider.rpm.repomd import safe_location
from oic.provider.rpm.version import EVR, NAME

_MOST_NAME = 240
"""Of name, version and architecture: a file's name, limits.h(0p), is made of them."""
_MOST_SIZE = 2**40
_SHA256 = re.compile(r"sha256:[0-9a-f]{64}")


def location_of(package: Any) -> str:
    """Return the path of a package below its repository."""
    return str(package.lookup_location()[0] or "")


def called(package: Any) -> str:
    """Return a package's name, version and architecture, whatever an entry has there."""
    text = str(package)
    return text if len(text) <= _MOST_NAME and NAME.fullmatch(package.name) and text.isprintable() else repr(text[:120])


def problem_of(package: Any) -> str:
    """Return what is wrong with a package's entry, or nothing."""
    if len(str(package)) > _MOST_NAME or not NAME.fullmatch(package.name) or not EVR.fullmatch(package.evr):
        return f"expected a package's name and version, found {str(package)[:120]!r}"
    base = package.lookup_str(solv.SOLVABLE_MEDIABASE)  # xml:base: another place than the repository
    if base or not safe_location(location_of(package)):
        found = "/".join(filter(None, (base, location_of(package))))
        return f"expected {package} below the repository, found it at {found[:120]!r}"
    checksum = package.lookup_checksum(solv.SOLVABLE_CHECKSUM)
    if not checksum or not _SHA256.fullmatch(str(checksum)):
        return f"expected a sha256 checksum of {package}, found {str(checksum)[:20]}"
    if not 0 < (size := package.lookup_num(solv.SOLVABLE_DOWNLOADSIZE)) <= _MOST_SIZE:
        return f"expected the size of {package}, found {size or 'none'}"
    return ""
