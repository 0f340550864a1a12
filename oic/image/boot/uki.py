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
from typing import TYPE_CHECKING

from oic.errors import OicError, one_line
from oic.image.boot.pe import LIMIT, SECTION, entries_of, headers_of, write_checksum

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from oic.image.boot.pe import Headers

_PAGE = 4096
_READ_DATA = 0x40000040  # IMAGE_SCN_MEM_READ | IMAGE_SCN_CNT_INITIALIZED_DATA
_EXECUTE_CODE = 0x20000020  # IMAGE_SCN_MEM_EXECUTE | IMAGE_SCN_CNT_CODE

Section = tuple[str, bytes]


def assemble_uki(stub: bytes, sections: Sequence[Section]) -> bytes:
    """Return the stub with sections appended, ``.linux`` last; equal inputs give equal bytes.

    Raises OicError for a stub that is no PE32+ image, has no room for the sections, or already has one of them.
    """
    headers = headers_of(stub, "stub")
    _check(stub, headers, sections)
    image = bytearray(stub.ljust(_up(len(stub), headers.file_alignment), b"\0"))
    address = _up(_end_in_memory(stub, headers), max(_PAGE, headers.section_alignment))
    added = 0
    for number, (name, content) in enumerate(sorted(sections, key=lambda section: section[0] == ".linux")):
        raw_size = _up(len(content), headers.file_alignment)
        memory = _memory_of_kernel(content) if name == ".linux" else len(content)
        if address + memory > LIMIT or len(image) + raw_size > LIMIT:
            raise OicError(f"no room for section {name!r}: a PE image has at most 4 GiB, in its file and in memory")
        flags = _READ_DATA | (_EXECUTE_CODE if name == ".linux" else 0)
        entry = SECTION.pack(name.encode(), memory, address, raw_size, len(image), 0, 0, 0, 0, flags)
        at = headers.table_end + number * SECTION.size
        image[at : at + SECTION.size] = entry
        image += content.ljust(raw_size, b"\0")
        end = address + memory
        address, added = _up(end, max(_PAGE, headers.section_alignment)), added + raw_size
    if sections:
        _write_sizes(image, headers, len(sections), added, _up(end, headers.section_alignment))
    write_checksum(image, headers)
    return bytes(image)


def section_names(image: bytes) -> tuple[str, ...]:
    """Return the section names of a PE image in table order; raises OicError when it is no PE image."""
    return tuple(
        entry[0].rstrip(b"\0").decode(errors="replace") for entry in entries_of(image, headers_of(image, "image"))
    )


def section_of(image: bytes, name: str) -> bytes:
    """Return a section of a PE image; raises OicError when it is no such image, or has no section of that name."""
    for found, _, _, size, at in entries_of(image, headers_of(image, "image")):
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


def _check(stub: bytes, headers: Headers, sections: Sequence[Section]) -> None:
    names = [name for name, _ in sections]
    present = {*section_names(stub)}
    for name in names:
        if len(name.encode()) > 8 or name in present or names.count(name) > 1:
            found = one_line(", ".join(sorted(present)))
            raise OicError(f"cannot add section {name!r}: expected at most 8 bytes, and none of {found}")
    first = min([headers.size_of_headers, *(entry[4] for entry in entries_of(stub, headers) if entry[3])])
    room = max(0, first - headers.table_end) // SECTION.size
    if len(sections) > room:
        text = f"the stub's section table has room for {room} more sections, needs {len(sections)}"
        raise OicError(text, hint="use another stub, or ukify")


def _end_in_memory(image: bytes, headers: Headers) -> int:
    ends = [address + max(size, raw) for _, size, address, raw, _ in entries_of(image, headers)]
    return max([headers.size_of_headers, *ends])


def _memory_of_kernel(kernel: bytes) -> int:
    """Return the memory that a kernel needs to unpack itself, its SizeOfImage; its length if it is no EFI image."""
    try:
        optional = headers_of(kernel, "kernel").optional
    except OicError:
        return len(kernel)
    return int(max(len(kernel), struct.unpack_from("<I", kernel, optional + 56)[0]))


def _write_sizes(image: bytearray, headers: Headers, count: int, added: int, end: int) -> None:
    struct.pack_into("<H", image, headers.coff + 2, headers.sections + count)
    (data,) = struct.unpack_from("<I", image, headers.optional + 8)
    struct.pack_into("<I", image, headers.optional + 8, (data + added) % LIMIT)  # SizeOfInitializedData
    struct.pack_into("<I", image, headers.optional + 56, min(end, LIMIT - 1))  # SizeOfImage


def _up(value: int, alignment: int) -> int:
    return -(-value // alignment) * alignment
