"""``NAME@6.12``: a package whose version begins with a series, which is how ``kernel.version`` reaches the solver.

The epoch does not count. A series ends at the end of the version or before one of ``. - _ + ~``: 6.12 is not of the
series 6.1.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from oic.errors import SolveError

if TYPE_CHECKING:
    from collections.abc import Sequence

SIGN = "@"


def in_series(version: str, series: str) -> bool:
    """Tell whether a version, with or without an epoch, is of a series."""
    plain = version.partition(":")[2] or version
    return re.match(rf"{re.escape(series)}(?:[._+~-]|$)", plain) is not None


def no_such_series(name: str, series: str, there: Sequence[str]) -> SolveError:
    """Return the error for a series that no version of the packages is of."""
    found = ", ".join(there) or "no such package"
    message = f"expected {name} of a version that begins with {series}, found {found}"
    return SolveError(message, hint="systemConfig.kernel.version says which")
