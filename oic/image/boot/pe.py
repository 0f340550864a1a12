"""PE32+ images, which is what UEFI firmware starts: their headers, checksum, and the signatures at their end. Pure.

    | DOS | PE, optional header, data directories | section table | sections | attribute certificate table |

* An attribute certificate table holds one signature after another and is the last thing of the file.
* A signature covers what firmware loads, and nearly all else: not the checksum, the directory entry of the table, the
  table itself, and what lies between sections.

Format: Microsoft PE/COFF specification ("COFF File Header", "Optional Header", "Section Table", "The Attribute
Certificate Table") and its appendix "Calculating Authenticode PE Image Hash".
"""

from __future__ import annotations

import hashlib
import struct

from oic.errors import OicError
from oic.values import Digest, Value

SECTION = struct.Struct("<8sIIIIIIHHI")
LIMIT = 1 << 32
"""Addresses and sizes have 32 bits."""
ENTRY_ALIGNMENT = 8
"""Of the attribute certificate table and of each entry, in bytes."""
_PE32_PLUS = 0x20B
_FILE_ALIGNMENTS = tuple(1 << power for power in range(9, 17))  # the specification's 512 to 64 K
_CERTIFICATE = struct.Struct("<IHH")  # WIN_CERTIFICATE: length, revision, type
_REVISION, _PKCS_SIGNED_DATA = 0x0200, 0x0002
_DIRECTORY = 112 + 4 * 8  # of the table, from the start of the optional header: the fifth data directory


class Headers(Value):
    """The positions of the numbers to read and change; offsets are from the start of the file."""

    coff: int
    optional: int
    table: int
    sections: int
    section_alignment: int
    file_alignment: int
    size_of_headers: int

    @property
    def table_end(self) -> int:
        """Return where the section table ends."""
        return self.table + self.sections * SECTION.size

    @property
    def checksum(self) -> int:
        """Return where the checksum is."""
        return self.optional + 64

    @property
    def directory(self) -> int:
        """Return where the place and size of the attribute certificate table are."""
        return self.optional + _DIRECTORY


def headers_of(image: bytes, what: str) -> Headers:
    """Read the headers; raises OicError unless the image is PE32+ and holds all of its headers."""
    try:
        (pe,) = struct.unpack_from("<I", image, 0x3C)
        sections, optional_size = struct.unpack_from("<H12xH", image, pe + 6)
        (magic,) = struct.unpack_from("<H", image, pe + 24)
        section_alignment, file_alignment = struct.unpack_from("<II", image, pe + 24 + 32)
        (size_of_headers,) = struct.unpack_from("<I", image, pe + 24 + 60)
    except struct.error as error:
        raise OicError(f"expected a PE32+ image as the {what}, found one that is truncated in its headers") from error
    magics = (image[:2], image[pe : pe + 4], magic)
    if magics != (b"MZ", b"PE\0\0", _PE32_PLUS) or file_alignment not in _FILE_ALIGNMENTS or not section_alignment:
        raise OicError(f"expected a PE32+ image as the {what}, found something else")
    headers = Headers(
        coff=pe + 4,
        optional=pe + 24,
        table=pe + 24 + optional_size,
        sections=sections,
        section_alignment=section_alignment,
        file_alignment=file_alignment,
        size_of_headers=size_of_headers,
    )
    if optional_size < 112 or headers.table_end > len(image):  # 112: PE32+ before the data directories
        raise OicError(f"expected a PE32+ image as the {what}, found one that is truncated in its section table")
    return headers


def entries_of(image: bytes, headers: Headers) -> list[tuple[bytes, int, int, int, int]]:
    """Return name, memory size, address, file size and file offset of each section."""
    return [SECTION.unpack_from(image, headers.table + n * SECTION.size)[:5] for n in range(headers.sections)]


def write_checksum(image: bytearray, headers: Headers) -> None:
    """Write the checksum: the ones' complement sum of all 16-bit words, its own field as zero, plus the length.

    The sum of 16-bit words with end-around carry is the number modulo 65535; only all zeros give 0.
    """
    struct.pack_into("<I", image, headers.checksum, 0)
    checksum = ((int.from_bytes(image, "little") % 0xFFFF or 0xFFFF) + len(image)) % LIMIT
    struct.pack_into("<I", image, headers.checksum, checksum)


def without_signatures(image: bytes, what: str) -> bytes:
    """Return an image as it is before it is signed: whole table entries long, without signatures, its checksum right.

    Whatever signatures are added to an image, this is the same. Raises OicError when it is no such image.
    """
    headers = _signable(image, what)
    place, size = struct.unpack_from("<II", image, headers.directory)
    sections = _sections(image, headers, what)
    least = sum(sections[-1]) if sections else headers.size_of_headers
    if size and (place + size != len(image) or place % ENTRY_ALIGNMENT or place < least):
        raise OicError(f"expected the signatures at the end of the {what}, found them elsewhere")
    plain = bytearray(image[:place] if size else image)
    plain += bytes(-len(plain) % ENTRY_ALIGNMENT)
    struct.pack_into("<II", plain, headers.directory, 0, 0)
    write_checksum(plain, headers)
    return bytes(plain)


def signatures_of(image: bytes, what: str) -> tuple[bytes, ...]:
    """Return the PKCS #7 signatures of an image; raises OicError when it is no image, or its table is damaged."""
    headers = _signable(image, what)
    place, size = struct.unpack_from("<II", image, headers.directory)
    table, found, at = image[place : place + size], [], 0
    if len(table) != size:
        raise OicError(f"expected the signatures at the end of the {what}, found a truncated file")
    while at < size:
        length, revision, kind = _CERTIFICATE.unpack_from(table.ljust(at + _CERTIFICATE.size, b"\0"), at)
        if length <= _CERTIFICATE.size or at + length > size or (revision, kind) != (_REVISION, _PKCS_SIGNED_DATA):
            raise OicError(f"expected PKCS #7 signatures at the end of the {what}, found something else")
        found.append(table[at + _CERTIFICATE.size : at + length])
        at += length + -length % ENTRY_ALIGNMENT
    return tuple(found)


def with_signature(image: bytes, signature: bytes, what: str) -> bytes:
    """Return an image, as `without_signatures` returns it, with one signature; raises OicError if it is none."""
    headers = _signable(image, what)
    padded = signature + bytes(-len(signature) % ENTRY_ALIGNMENT)
    # The length counts the padding, as in what sbsign and signtool write.
    entry = _CERTIFICATE.pack(_CERTIFICATE.size + len(padded), _REVISION, _PKCS_SIGNED_DATA) + padded
    signed = bytearray(image + entry)
    struct.pack_into("<II", signed, headers.directory, len(image), len(entry))
    write_checksum(signed, headers)
    return bytes(signed)


def authenticode_digest(image: bytes, what: str) -> Digest:
    """Return the sha256 that a signature vouches for, of an image as `without_signatures` returns it.

    Hashed are the headers, each section in the order of the file, and what follows the sections. As in firmware, that
    begins where it would if nothing lay between sections: bytes there, such as a symbol table in front of what was
    appended, are not covered. No firmware loads them. Raises OicError.
    """
    headers = _signable(image, what)
    hashed = headers.size_of_headers
    whole = hashlib.sha256(image[: headers.checksum])
    whole.update(image[headers.checksum + 4 : headers.directory])
    whole.update(image[headers.directory + 8 : hashed])
    for place, size in _sections(image, headers, what):
        whole.update(image[place : place + size])
        hashed += size
    whole.update(image[hashed:])
    return Digest(whole.hexdigest())


def _signable(image: bytes, what: str) -> Headers:
    """Return the headers of an image that has a place for signatures; raises OicError."""
    headers = headers_of(image, what)
    (directories,) = struct.unpack_from("<I", image, headers.optional + 108)
    if directories < 5 or headers.directory + 8 > headers.table:
        raise OicError(f"expected a {what} with room for a signature in its headers, found one without")
    return headers


def _sections(image: bytes, headers: Headers, what: str) -> list[tuple[int, int]]:
    """Return where each section is in the file, and its size there, in the order of the file; raises OicError."""
    end, found = headers.size_of_headers, []
    for _, _, _, size, place in sorted(entries_of(image, headers), key=lambda entry: entry[4]):
        if size:
            if place < end:
                raise OicError(f"expected the sections of the {what} one after another, found two that overlap")
            found.append((place, size))
            end = place + size
    if end > len(image) or headers.table_end > headers.size_of_headers:
        raise OicError(f"expected a PE32+ image as the {what}, found one that is truncated in its sections")
    return found
