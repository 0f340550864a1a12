"""Read an rpm package: lead, signature header, main header; the rest is the payload.

::

    lead 96 | signature header, padded to 8 | main header | payload to the end of the file

    header:  8e ad e8 01, 4 zero, index length, data length | index entries of 16 bytes | data store
    entry:   tag, type, offset into the store, count

* The format is rpm's version 4 file format (docs/manual/format_v4.md of rpm). Before an entry is read, its tag, type,
  alignment, order and end are checked against the header's index and store. Each number of the file is checked against
  a maximum before memory is allocated for it.
* A header's *region* is the part that was made at once and is signed. All entries of the main header must be in its
  region. The signature header is not signed and may have entries outside its region: old signing programs added them.
* Nothing is executed or written. Raises TrustError.
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from oic.errors import TrustError
from oic.provider.rpm.tags import Sig, Tag

if TYPE_CHECKING:
    from collections.abc import Iterator

LEAD = 96
_LEAD_MAGIC = b"\xed\xab\xee\xdb"
_MAGIC = b"\x8e\xad\xe8\x01\0\0\0\0"
_PREAMBLE = 16
_ENTRY = struct.Struct(">IIiI")  # the region trailer's offset is negative
_TRAILERS = {Sig.REGION: (Sig.REGION, 61), Tag.REGION: (Tag.REGION,)}
"""The tags that a region's trailer may have. Old signing programs wrote HEADERIMAGE (rpm's lib/header.cc)."""
_MAX_ENTRIES = {Sig.REGION: 64, Tag.REGION: 0xFFFF}
_MAX_DATA = {Sig.REGION: 16 << 20, Tag.REGION: 64 << 20}
_MAX_VALUES = 1 << 19
"""Values of one tag: more than the files of any package, and few enough to check each."""
_FIRST_TAG = 100
_CHAR, _INT8, _INT16, _INT32, _INT64, _STRING, _BINARY, _STRINGS, _I18N = range(1, 10)
_WIDTHS = {_CHAR: 1, _INT8: 1, _INT16: 2, _INT32: 4, _INT64: 8, _BINARY: 1}
_SHORT = (_CHAR, _INT8, _INT16, _INT32)
_LONG = (Sig.LONG_SIZE, Tag.LONG_FILE_SIZES)
"""The tags with numbers of 64 bits. All others, such as times and modes, have at most 32."""
_CODES = {_CHAR: "B", _INT8: "B", _INT16: "H", _INT32: "I", _INT64: "Q"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry: its data are ``store[start:end]``, `count` values of type `kind`."""

    kind: int
    count: int
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """A checked header. Signatures and digests of the header cover the bytes `signed`."""

    entries: dict[int, Entry]
    store: bytes
    signed: bytes
    where: str

    def strings(self, tag: int) -> list[str]:
        """Return the strings of a tag, empty when it is absent; bytes that are not UTF-8 are escaped."""
        entry = self._of_kind(tag, (_STRING, _STRINGS, _I18N))
        if entry is None:
            return []
        data = self.store[entry.start : entry.end - 1]
        return data.decode("utf-8", "surrogateescape").split("\0")

    def string(self, tag: int, default: str = "") -> str:
        """Return the only string of a tag."""
        found = self.strings(tag) or [default]
        if len(found) != 1:
            raise TrustError(f"expected one string in tag {tag}, found {len(found)}", where=self.where)
        return found[0]

    def numbers(self, tag: int) -> tuple[int, ...]:
        """Return the unsigned numbers of a tag; empty when it is absent."""
        entry = self._of_kind(tag, (_INT64,) if tag in _LONG else _SHORT)
        if entry is None:
            return ()
        return struct.unpack(f">{entry.count}{_CODES[entry.kind]}", self.store[entry.start : entry.end])

    def number(self, tag: int, default: int) -> int:
        """Return the only number of a tag."""
        found = self.numbers(tag) or (default,)
        if len(found) != 1:
            raise TrustError(f"expected one number in tag {tag}, found {len(found)}", where=self.where)
        return found[0]

    def binary(self, tag: int) -> bytes:
        """Return a tag's bytes; empty when it is absent."""
        entry = self._of_kind(tag, (_BINARY,))
        return self.store[entry.start : entry.end] if entry else b""

    def _of_kind(self, tag: int, kinds: tuple[int, ...]) -> Entry | None:
        entry = self.entries.get(tag)
        if entry and entry.kind not in kinds:
            raise TrustError(f"expected another type in tag {tag}, found type {entry.kind}", where=self.where)
        return entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Rpm:
    """A package: its headers, where the payload begins, and the size of the whole file."""

    signature: Header
    header: Header
    header_offset: int
    payload_offset: int
    size: int


def read_rpm(file: IO[bytes], where: str) -> Rpm:
    """Read the headers of an open package; raises TrustError."""
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    _check_lead(file.read(LEAD), where)
    signature = _read_header(file, size, Sig.REGION, where)
    padding = file.read(-file.tell() % 8)
    if padding.strip(b"\0"):
        raise TrustError("expected zeros after the signature header, found other bytes", where=where)
    header_offset = file.tell()
    header = _read_header(file, size, Tag.REGION, where)
    rpm = Rpm(signature=signature, header=header, header_offset=header_offset, payload_offset=file.tell(), size=size)
    _check_size(rpm, where)
    return rpm


def _check_size(rpm: Rpm, where: str) -> None:
    """Compare the size of header and payload in the signature header with the file."""
    found = rpm.size - rpm.header_offset
    for tag in (Sig.SIZE, Sig.LONG_SIZE):
        expected = rpm.signature.number(tag, found)
        if expected != found:
            raise TrustError(f"expected {expected} bytes of header and payload, found {found}", where=where)


def _check_lead(lead: bytes, where: str) -> None:
    if lead[:4] != _LEAD_MAGIC:
        raise TrustError("expected an rpm package, found a file that does not begin with ed ab ee db", where=where)
    if len(lead) < LEAD:
        raise TrustError("expected an rpm package, found a file cut off in its lead", where=where)
    major, _minor, kind = struct.unpack_from(">BBH", lead, 4)
    (signature,) = struct.unpack_from(">H", lead, 78)
    if major not in (3, 4) or kind != 0 or signature != 5:
        found = f"version {major}, type {kind}, signature type {signature}"
        raise TrustError(f"expected a binary package's lead (version 3 or 4, type 0, 5), found {found}", where=where)


def _read_header(file: IO[bytes], size: int, region: Sig | Tag, where: str) -> Header:
    name = "signature header" if region is Sig.REGION else "header"
    preamble = file.read(_PREAMBLE)
    if len(preamble) < _PREAMBLE or preamble[:8] != _MAGIC:
        raise TrustError(f"expected the {name} at byte {file.tell() - len(preamble)}, found no magic", where=where)
    count, length = struct.unpack_from(">II", preamble, 8)
    if not 0 < count <= _MAX_ENTRIES[region] or not 0 < length <= _MAX_DATA[region]:
        raise TrustError(f"expected a {name} of sane size, found {count} tags and {length} bytes", where=where)
    if file.tell() + count * _ENTRY.size + length > size:
        raise TrustError(f"expected {count} tags and {length} bytes of {name}, found a file cut off", where=where)
    index, store = file.read(count * _ENTRY.size), file.read(length)
    try:
        return _header(index, store, region, where)
    except _BadEntryError as error:
        raise TrustError(f"damaged {name}: {error}", where=where) from None


class _BadEntryError(Exception):
    """A malformed entry; the text says what is wrong with it."""


def _header(index: bytes, store: bytes, region: Sig | Tag, where: str) -> Header:
    rows = list(_ENTRY.iter_unpack(index))
    region_rows, region_end = _region(rows, store, region)
    if region is Tag.REGION and (region_rows, region_end) != (len(rows), len(store)):
        raise _BadEntryError(f"expected all of it in its region, found {region_rows} of {len(rows)} tags there")
    entries: dict[int, Entry] = {}
    for tag, entry in _entries(rows, store, region_end):
        if tag in entries:
            raise _BadEntryError(f"tag {tag} occurs twice")
        entries[tag] = entry
    sizes = struct.pack(">II", region_rows, region_end)
    signed = _MAGIC + sizes + index[: region_rows * _ENTRY.size] + store[:region_end]
    return Header(entries=entries, store=store, signed=signed, where=where)


def _region(rows: list[tuple[int, int, int, int]], store: bytes, region: Sig | Tag) -> tuple[int, int]:
    """Return the number of entries in the region and where its data end, after its trailer."""
    tag, kind, offset, count = rows[0]
    if (tag, kind, count) != (region, _BINARY, _ENTRY.size):
        raise _BadEntryError(f"expected region tag {region:d} first, found tag {tag} of type {kind}")
    end = offset + _ENTRY.size
    if not 0 <= offset <= len(store) - _ENTRY.size:
        raise _BadEntryError(f"the region's trailer at {offset} is outside of {len(store)} bytes")
    trailer_tag, kind, back, count = _ENTRY.unpack_from(store, offset)
    if trailer_tag not in _TRAILERS[region] or (kind, count) != (_BINARY, _ENTRY.size):
        raise _BadEntryError(f"expected a trailer of region {region:d}, found tag {trailer_tag} of type {kind}")
    inside, rest = divmod(-back, _ENTRY.size)
    if rest or not 0 < inside <= len(rows):
        raise _BadEntryError(f"the region has {-back} bytes of index, of {len(rows) * _ENTRY.size}")
    return inside, end


def _entries(rows: list[tuple[int, int, int, int]], store: bytes, region_end: int) -> Iterator[tuple[int, Entry]]:
    """Yield each entry except the region's own; as rpm requires, they must be in the order of their data."""
    trailer = region_end - _ENTRY.size
    before = 0
    starts = [offset for _, _, offset, _ in rows[1:]] + [len(store)]
    for (tag, kind, start, count), following in zip(rows[1:], starts[1:], strict=True):
        limit = min(following, trailer) if start < trailer else following
        most = _MAX_VALUES if kind != _BINARY else len(store)
        if tag < _FIRST_TAG or not _CHAR <= kind <= _I18N or not 0 < count <= most:
            raise _BadEntryError(f"tag {tag} has type {kind} and {count} values")
        if start % _WIDTHS.get(kind, 1):
            raise _BadEntryError(f"tag {tag} of type {kind} is not aligned: offset {start}")
        if not before <= start <= limit <= len(store) or trailer <= start < region_end:
            raise _BadEntryError(f"tag {tag} at {start} overlaps another or is outside of {len(store)} bytes")
        before = _end_of(tag, kind, count, store, start, limit)
        yield tag, Entry(kind=kind, count=count, start=start, end=before)


def _end_of(tag: int, kind: int, count: int, store: bytes, start: int, limit: int) -> int:  # noqa: PLR0913 - an entry and its limits
    """Return where an entry's data end; that must be before `limit`."""
    if kind in _WIDTHS:
        end = start + count * _WIDTHS[kind]
    elif kind == _STRING and count != 1:
        raise _BadEntryError(f"tag {tag} is one string, with {count} values")
    else:
        end = start
        for _ in range(count):
            end = store.find(b"\0", end, limit) + 1
            if not end:
                raise _BadEntryError(f"tag {tag} has fewer than {count} strings")
    if end > limit:
        raise _BadEntryError(f"tag {tag} at {start} ends at {end}, behind {limit}")
    return end
