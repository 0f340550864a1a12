"""Types for what is easily mixed up, and what values that are written as JSON have in common."""

from __future__ import annotations

from typing import NewType, dataclass_transform

from msgspec import Struct, StructMeta, field

Digest = NewType("Digest", str)
"""A sha256 in 64 lower-case hexadecimal digits."""

ImageName = NewType("ImageName", str)
"""A recipe's file name without its ending: the ``edge`` of ``solve:edge``."""

Bytes = NewType("Bytes", int)
"""A size or an offset in bytes."""

Sector = NewType("Sector", int)
"""A size or an offset in sectors of 512 bytes."""


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(field,))
class _Frozen(StructMeta):
    """Says to type checkers what `Value` gives to each class below it."""


class Value(Struct, metaclass=_Frozen, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """A frozen value whose names in JSON are camelCase, as in a recipe, and which is decoded strictly."""


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
