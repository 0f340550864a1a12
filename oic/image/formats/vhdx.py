"""vhdx, Hyper-V's format, by [MS-VHDX]. qemu-img writes random UUIDs and sequence numbers, and old data in the log.

There are two headers with a CRC-32C each (2.2.2), a log, which is empty if the header has no LogGuid (2.3), and the
disk's own UUID in the metadata (2.6.2.5, "page 83 data").
"""

from __future__ import annotations

import struct
import uuid as uuids
from typing import IO

from oic.image.seeds import uuid_for

QEMU = "vhdx"
OPTIONS = ""
UNIT = 512

_HEADERS = (64 << 10, 128 << 10)
_HEADER_SIZE = 4096
_REGIONS = 192 << 10
_METADATA = uuids.UUID("8b7ca206-4790-4b9a-b8fe-575f050f886e").bytes_le
_PAGE_83 = uuids.UUID("beca12ab-b2e6-4523-93ef-c309e000c746").bytes_le
_ENTRY = 32
_POLYNOMIAL = 0x82F63B78
"""The polynomial of CRC-32C (RFC 3720, appendix B.4), reflected."""


def set_identifiers(image: IO[bytes], uuid: str) -> None:
    """Set the UUIDs, number the headers from 1, and fill the log with zeros."""
    for sequence, at in enumerate(_HEADERS, start=1):
        _set_header(image, at, sequence, uuid)
    image.seek(_page_83(image))
    image.write(uuids.UUID(uuid_for(uuid, "disk")).bytes_le)


def _set_header(image: IO[bytes], at: int, sequence: int, uuid: str) -> None:
    image.seek(at)
    header = bytearray(image.read(_HEADER_SIZE))
    log_length, log_offset = struct.unpack_from("<IQ", header, 68)
    if header[:4] != b"head" or any(header[48:64]):
        raise ValueError("expected a header of a vhdx whose log is empty")
    struct.pack_into("<Q", header, 8, sequence)
    header[16:32] = uuids.UUID(uuid_for(uuid, "file")).bytes_le
    header[32:48] = uuids.UUID(uuid_for(uuid, "data")).bytes_le
    header[4:8] = bytes(4)
    struct.pack_into("<I", header, 4, _crc32c(header))
    image.seek(at)
    image.write(header)
    image.seek(log_offset)
    image.write(bytes(log_length))


def _page_83(image: IO[bytes]) -> int:
    """Return the offset of the disk's own UUID, from the table of regions and the table of metadata items."""
    image.seek(_REGIONS)
    region = _entry(image.read(64 << 10), 16, 8, _METADATA)
    (start,) = struct.unpack_from("<Q", region, 16)
    image.seek(start)
    item = _entry(image.read(64 << 10), 32, 10, _PAGE_83)
    (offset,) = struct.unpack_from("<I", item, 16)
    return int(start + offset)


def _entry(table: bytes, first: int, count_at: int, guid: bytes) -> bytes:
    (count,) = struct.unpack_from("<H", table, count_at)
    for at in range(first, first + count * _ENTRY, _ENTRY):
        if table[at : at + 16] == guid:
            return table[at : at + _ENTRY]
    raise ValueError("expected another entry in a table of a vhdx")


def _crc32c(data: bytes | bytearray) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (_POLYNOMIAL if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF
