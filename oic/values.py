"""Types for what is easily mixed up."""

from __future__ import annotations

from typing import NewType

Digest = NewType("Digest", str)
"""A sha256 in 64 lower-case hexadecimal digits."""

ImageName = NewType("ImageName", str)
"""A recipe's file name without its ending: the ``edge`` of ``solve:edge``."""

Bytes = NewType("Bytes", int)
"""A size or an offset in bytes."""

Sector = NewType("Sector", int)
"""A size or an offset in sectors of 512 bytes."""


MOST_NUMBER = 10**18
"""What `number_in` makes of any number that is larger."""


def number_in(text: str) -> int | None:
    """Return the number that a stranger's text is in ASCII digits, `MOST_NUMBER` at most; None when it is none.

    int() takes signs, underscores and the digits of every script, and refuses more than 4,300 of them.
    """
    if not (text.isascii() and text.isdecimal()):
        return None
    digits = text.lstrip("0")
    return int(digits or "0") if len(digits) <= 18 else MOST_NUMBER
