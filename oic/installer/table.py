"""The partition table, written by sfdisk(8) from the payload's script, and read back.

It is tried on an empty file of the disk's size first: what sfdisk makes of the script is known before the disk changes.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .door import run
from .errors import InstallError
from .payload import SECTOR

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .payload import Payload

_EXTENDED = ("5", "f", "85")
_SFDISK = ("sfdisk", "--quiet", "--no-reread", "--no-tell-kernel", "--wipe", "never", "--wipe-partitions", "never")


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Where a partition lies, in bytes, and its UUID, in a table that has them."""

    start: int
    size: int
    uuid: str = ""


def try_table(payload: Payload, size: int) -> dict[int, Span]:
    """Return where each partition will lie on a disk of this size, by number.

    Raises InstallError when sfdisk refuses the script, or makes other partitions of it than the payload has.
    """
    fd = os.memfd_create("table")
    try:
        os.truncate(fd, size)
        return write_table(payload, f"/proc/self/fd/{fd}", fds=(fd,))
    finally:
        os.close(fd)


def write_table(payload: Payload, path: str, *, fds: tuple[int, ...] = ()) -> dict[int, Span]:
    """Write the table, and return where each partition lies; the first 440 bytes of the disk stay."""
    run([*_SFDISK, path], stdin=payload.table, fds=fds)
    spans = _read_table(path, fds)
    _check(payload, spans)
    return spans


def _read_table(path: str, fds: tuple[int, ...]) -> dict[int, Span]:
    output = run(["sfdisk", "--json", path], fds=fds)
    try:
        table: dict[str, Any] = json.loads(output)["partitiontable"]
        return {
            int(one["node"].removeprefix(path).lstrip("p")): Span(
                start=int(one["start"]) * SECTOR, size=int(one["size"]) * SECTOR, uuid=str(one.get("uuid", ""))
            )
            for one in table["partitions"]
            if one["type"].lower() not in _EXTENDED
        }
    except (ValueError, LookupError, TypeError, AttributeError):
        raise InstallError(f"expected sfdisk to describe the table of {path}, found something else") from None


def _check(payload: Payload, spans: Mapping[int, Span]) -> None:
    wanted = {one.number: one for one in payload.partitions}
    if wanted.keys() != spans.keys():
        text = ", ".join(str(number) for number in sorted(spans))
        raise InstallError(f"expected a table with partitions {sorted(wanted)}, sfdisk makes {text or 'none'}")
    for number, one in wanted.items():
        found = spans[number]
        fits = found.size >= one.size if one.grows else found.size == one.size
        if found.start != one.start or not fits:
            text = f"expected partition {number} of {one.size} bytes at {one.start}"
            raise InstallError(f"{text}, sfdisk makes one of {found.size} at {found.start}")
