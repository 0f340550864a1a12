"""Headers of tar entries, read strictly. Python's tarfile takes damage for the end of an archive."""

from __future__ import annotations

import tarfile
from typing import Self

_END_OF_ARCHIVE: type[Exception] = tarfile.EOFHeaderError  # type: ignore[attr-defined]
_NUMBER_ERRORS = (ValueError, OverflowError, RecursionError)
_EXTENSIONS = (
    *(tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK),
    *(tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE),
)
"""The types of entries that describe the next one; tarfile keeps them in memory."""
_MAX_EXTENSION, _MAX_FILE = 1 << 16, 1 << 35


class StrictEntry(tarfile.TarInfo):
    """An entry header that raises tarfile.ReadError when it is damaged or missing, or when its size is out of range."""

    @classmethod
    def fromtarfile(cls, tar: tarfile.TarFile) -> Self:
        """Return the next entry of an archive."""
        try:
            return super().fromtarfile(tar)
        except _END_OF_ARCHIVE:
            raise
        except (tarfile.HeaderError, *_NUMBER_ERRORS) as error:
            raise tarfile.ReadError(f"damaged entry header: {error}") from error

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        """Return the entry of a header block."""
        entry = super().frombuf(buf, encoding, errors)
        if not 0 <= entry.size <= (_MAX_EXTENSION if entry.type in _EXTENSIONS else _MAX_FILE):
            raise tarfile.ReadError(f"expected the size of an entry, found {entry.size}")
        return entry
