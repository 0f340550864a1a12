"""A unified kernel image: systemd's stub with kernel, initrd and command line as PE sections. Pure.

    | DOS | PE, optional header | section table + new entries | stub's sections | .osrel .cmdline .initrd .linux |

* The stub's own sections, such as ``.sbat``, and their positions are not changed.
* ``.linux`` comes last and gets the memory that its header asks for: some kernels unpack themselves over what follows.
* Five places in the headers change: the number of sections, the section table, two sizes and the checksum.

Format: Microsoft PE/COFF specification ("COFF File Header", "Optional Header", "Section Table") and the UAPI group's
"Unified Kernel Image" specification; the kernel's section is executable, as ukify writes it.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from oic.errors import OicError, one_line

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_SECTION = struct.Struct("<8sIIIIIIHHI")
_PAGE = 4096
_READ_DATA = 0x40000040  # IMAGE_SCN_MEM_READ | IMAGE_SCN_CNT_INITIALIZED_DATA
_EXECUTE_CODE = 0x20000020  # IMAGE_SCN_MEM_EXECUTE | IMAGE_SCN_CNT_CODE
_PE32_PLUS = 0x20B
_FILE_ALIGNMENTS = tuple(1 << power for power in range(9, 17))  # the specification's 512 to 64 K
_LIMIT = 1 << 32  # addresses and sizes have 32 bits

Section = tuple[str, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Headers:
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
        return self.table + self.sections * _SECTION.size


def assemble_uki(stub: bytes, sections: Sequence[Section]) -> bytes:
    """Return the stub with sections appended, ``.linux`` last; equal inputs give equal bytes.

    Raises OicError for a stub that is no PE32+ image, has no room for the sections, or already has one of them.
    """
    headers = _headers(stub, "stub")
    _check(stub, headers, sections)
    image = bytearray(stub.ljust(_up(len(stub), headers.file_alignment), b"\0"))
    address = _up(_end_in_memory(stub, headers), max(_PAGE, headers.section_alignment))
    added = 0
    for number, (name, content) in enumerate(sorted(sections, key=lambda section: section[0] == ".linux")):
        raw_size = _up(len(content), headers.file_alignment)
        memory = _memory_of_kernel(content) if name == ".linux" else len(content)
        if address + memory > _LIMIT or len(image) + raw_size > _LIMIT:
            raise OicError(f"no room for section {name!r}: a PE image has at most 4 GiB, in its file and in memory")
        flags = _READ_DATA | (_EXECUTE_CODE if name == ".linux" else 0)
        entry = _SECTION.pack(name.encode(), memory, address, raw_size, len(image), 0, 0, 0, 0, flags)
        at = headers.table_end + number * _SECTION.size
        image[at : at + _SECTION.size] = entry
        image += content.ljust(raw_size, b"\0")
        end = address + memory
        address, added = _up(end, max(_PAGE, headers.section_alignment)), added + raw_size
    if sections:
        _write_sizes(image, headers, len(sections), added, _up(end, headers.section_alignment))
    struct.pack_into("<I", image, headers.optional + 64, _checksum(image, headers.optional + 64))
    return bytes(image)


def section_names(image: bytes) -> tuple[str, ...]:
    """Return the section names of a PE image in table order; raises OicError when it is no PE image."""
    return tuple(entry[0].rstrip(b"\0").decode(errors="replace") for entry in _entries(image, _headers(image, "image")))


def section_of(image: bytes, name: str) -> bytes:
    """Return a section of a PE image; raises OicError when it is no such image, or has no section of that name."""
    for found, _, _, size, at in _entries(image, _headers(image, "image")):
        if found.rstrip(b"\0") == name.encode():
            return image[at : at + size]
    raise OicError(f"expected a PE32+ image with a section {name}, found one without")


def ukify_argv(  # noqa: PLR0913
    *, stub: Path, kernel: Path, initrds: Sequence[Path], cmdline: Path, os_release: Path, uname: str, output: Path
) -> list[str]:
    """Return the command line of ukify (systemd 254 or newer) that gives the same image."""
    return [
        "ukify", "build", f"--stub={stub}", f"--linux={kernel}", *(f"--initrd={initrd}" for initrd in initrds),
        f"--cmdline=@{cmdline}", f"--os-release=@{os_release}", f"--uname={uname}", f"--output={output}",
    ]  # fmt: skip


def _headers(image: bytes, what: str) -> _Headers:
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
    headers = _Headers(
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


def _entries(image: bytes, headers: _Headers) -> list[tuple[bytes, int, int, int, int]]:
    """Return name, memory size, address, file size and file offset of each section."""
    return [_SECTION.unpack_from(image, headers.table + n * _SECTION.size)[:5] for n in range(headers.sections)]


def _check(stub: bytes, headers: _Headers, sections: Sequence[Section]) -> None:
    names = [name for name, _ in sections]
    present = {*section_names(stub)}
    for name in names:
        if len(name.encode()) > 8 or name in present or names.count(name) > 1:
            found = one_line(", ".join(sorted(present)))
            raise OicError(f"cannot add section {name!r}: expected at most 8 bytes, and none of {found}")
    first = min([headers.size_of_headers, *(entry[4] for entry in _entries(stub, headers) if entry[3])])
    room = max(0, first - headers.table_end) // _SECTION.size
    if len(sections) > room:
        text = f"the stub's section table has room for {room} more sections, needs {len(sections)}"
        raise OicError(text, hint="use another stub, or ukify")


def _end_in_memory(image: bytes, headers: _Headers) -> int:
    ends = [address + max(size, raw) for _, size, address, raw, _ in _entries(image, headers)]
    return max([headers.size_of_headers, *ends])


def _memory_of_kernel(kernel: bytes) -> int:
    """Return the memory that a kernel needs to unpack itself, its SizeOfImage; its length if it is no EFI image."""
    try:
        optional = _headers(kernel, "kernel").optional
    except OicError:
        return len(kernel)
    return int(max(len(kernel), struct.unpack_from("<I", kernel, optional + 56)[0]))


def _write_sizes(image: bytearray, headers: _Headers, count: int, added: int, end: int) -> None:
    struct.pack_into("<H", image, headers.coff + 2, headers.sections + count)
    (data,) = struct.unpack_from("<I", image, headers.optional + 8)
    struct.pack_into("<I", image, headers.optional + 8, (data + added) % _LIMIT)  # SizeOfInitializedData
    struct.pack_into("<I", image, headers.optional + 56, min(end, _LIMIT - 1))  # SizeOfImage


def _checksum(image: bytearray, at: int) -> int:
    """Return the PE checksum: the ones' complement sum of all 16-bit words, its own field as zero, plus the length.

    The sum of 16-bit words with end-around carry is the number modulo 65535; only all zeros give 0.
    """
    struct.pack_into("<I", image, at, 0)
    return ((int.from_bytes(image, "little") % 0xFFFF or 0xFFFF) + len(image)) % _LIMIT


def _up(value: int, alignment: int) -> int:
    return -(-value // alignment) * alignment
