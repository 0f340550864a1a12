"""Types for values that are easily confused, and the canonical JSON of values.

Equal values have equal JSON: keys are sorted, there are no timestamps, and the text ends with one newline.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from datetime import datetime
from pathlib import PurePath
from typing import Any, NewType, dataclass_transform

from msgspec import UNSET, Struct, StructMeta, field

Digest = NewType("Digest", str)
"""A sha256 in 64 lower-case hexadecimal digits."""

ImageName = NewType("ImageName", str)
"""A recipe's file name without its suffix: ``edge`` in ``solve:edge``."""

Bytes = NewType("Bytes", int)
"""A size or an offset in bytes."""

Sector = NewType("Sector", int)
"""A size or an offset in sectors of 512 bytes."""


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(field,))
class _Frozen(StructMeta):
    """Tells type checkers that each subclass of `Value` is a frozen dataclass with keyword arguments."""


class Value(Struct, metaclass=_Frozen, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """A frozen value. In JSON its names are camelCase, as in a recipe; unknown names are refused when it is decoded."""


def to_plain(value: Any) -> Any:
    """Return a value as JSON types: dicts, lists, strings, numbers. Fields that are `UNSET` are left out."""
    if isinstance(value, Struct):
        names = zip(value.__struct_encode_fields__, value.__struct_fields__, strict=True)
        fields = ((name, getattr(value, field)) for name, field in names)
        plain = {name: to_plain(found) for name, found in fields if found is not UNSET}
        config = value.__struct_config__
        return {config.tag_field: config.tag, **plain} if config.tag_field else plain
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain(item) for item in value]
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, PurePath) else value


def to_json(value: Any) -> str:
    """Return the canonical JSON of a value: sorted keys, an indent of one space, a newline at the end."""
    return json.dumps(to_plain(value), sort_keys=True, indent=1, ensure_ascii=False) + "\n"


def digest_of(value: Any) -> Digest:
    """Return the sha256 of a value's canonical JSON."""
    return Digest(hashlib.sha256(to_json(value).encode()).hexdigest())


MAX_NUMBER = 10**18
"""`parse_number` returns this for any larger number."""


def parse_number(text: str) -> int | None:
    """Return the number that an untrusted text holds in ASCII digits, at most `MAX_NUMBER`; None for any other text.

    int() would accept signs, underscores and non-ASCII digits, and raise ValueError for more than 4,300 digits.
    """
    if not (text.isascii() and text.isdecimal()):
        return None
    digits = text.lstrip("0")
    return int(digits or "0") if len(digits) <= 18 else MAX_NUMBER
