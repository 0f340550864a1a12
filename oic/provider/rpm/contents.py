"""Compare a payload with its header completely: names, types, modes, sizes, digests and link targets.

rpm itself compares a part of it, and only while it installs. Raises TrustError.
"""

from __future__ import annotations

import hashlib
import stat
from typing import IO, TYPE_CHECKING

from oic.errors import TrustError, one_line
from oic.provider.compression import package_limit, plain_stream
from oic.provider.rpm.package import file_hash_of, files_of
from oic.provider.rpm.payload import Member, members_of
from oic.provider.rpm.tags import Tag

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from oic.provider.rpm.header import Rpm
    from oic.provider.rpm.package import File

_COMPRESSORS = {"gzip": "gz", "bzip2": "bz2", "lzma": "lzma", "xz": "xz", "zstd": "zst"}
"""The names of compressions in headers and in `oic.provider.compression`."""


def check_contents(file: IO[bytes], rpm: Rpm) -> None:
    """Read the whole payload of an open package; raises TrustError when it differs from the header."""
    files = files_of(rpm.header)
    for member in contents_of(file, rpm, files):
        for _ in checked(member, rpm):
            pass


def contents_of(file: IO[bytes], rpm: Rpm, files: Sequence[File]) -> Iterator[Member]:
    """Yield the members of an open package's payload; they are the header's `files`."""
    header = rpm.header
    payload_format = header.string(Tag.PAYLOAD_FORMAT, "cpio")
    if payload_format != "cpio":
        raise TrustError(f"expected a cpio payload, found {payload_format!r}", where=header.where)
    yield from members_of(plain_payload(file, rpm), files, header.where)


def plain_payload(file: IO[bytes], rpm: Rpm) -> IO[bytes]:
    """Return a reader of an open package's decompressed payload.

    The header of an uncompressed payload names no compressor; in old packages, that of a gzip payload does not either.
    """
    compressor = rpm.header.string(Tag.PAYLOAD_COMPRESSOR)
    if compressor and compressor not in _COMPRESSORS:
        message = f"expected a payload of {', '.join(_COMPRESSORS)}, found {compressor!r}"
        raise TrustError(message, where=rpm.header.where)
    file.seek(rpm.payload_offset)
    if compressor:
        compression = _COMPRESSORS[compressor]
    else:
        compression = "gz" if file.read(2) == b"\x1f\x8b" else ""
        file.seek(rpm.payload_offset)
    return plain_stream(file, compression, package_limit(rpm.size), where=rpm.header.where, what="the payload")


def checked(member: Member, rpm: Rpm) -> Iterator[bytes]:
    """Yield a member's content; raises TrustError at the end when it differs from the header."""
    file, where = member.file, rpm.header.where
    if stat.S_ISLNK(file.mode):
        if b"".join(member.chunks()) != file.link.encode("utf-8", "surrogateescape"):
            raise TrustError(f"expected a link to {file.link!r} at {file.path!r}, found another target", where=where)
    elif stat.S_ISREG(file.mode) and member.names:
        name = file_hash_of(rpm.header)
        digest = hashlib.new(name)
        for data in member.chunks():
            digest.update(data)
            yield data
        if digest.hexdigest() != file.digest:
            message = f"expected {name} {one_line(file.digest)} of {file.path!r}, found {digest.hexdigest()}"
            raise TrustError(message, where=where)
