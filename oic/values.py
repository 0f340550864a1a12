"""Types for what is easily mixed up, and the JSON of values: equal values give equal bytes.

Keys are sorted, nothing tells the time, and one newline ends the text.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import PurePath
from typing import Any, NewType, dataclass_transform

from msgspec import UNSET, Struct, StructMeta, field

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


def to_plain(value: Any) -> Any:
    """Return values, tuples and paths as what JSON knows: dicts, lists, strings; a field not set is not there."""
    if isinstance(value, Struct):
        names = zip(value.__struct_encode_fields__, value.__struct_fields__, strict=True)
        fields = ((name, getattr(value, field)) for name, field in names)
        return {name: to_plain(found) for name, found in fields if found is not UNSET}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain(item) for item in value]
    return str(value) if isinstance(value, PurePath) else value


def to_json(value: Any) -> str:
    """Return the canonical text of a value: sorted keys, one space of indent, a final newline."""
    return json.dumps(to_plain(value), sort_keys=True, indent=1, ensure_ascii=False) + "\n"


def digest_of(value: Any) -> Digest:
    """Return the sha256 of a value's canonical JSON."""
    return Digest(hashlib.sha256(to_json(value).encode()).hexdigest())


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
