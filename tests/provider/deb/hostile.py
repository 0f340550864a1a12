"""Packages byte by byte: what dpkg-deb would never build."""

from __future__ import annotations

import gzip
import io
import lzma
import tarfile
from typing import TYPE_CHECKING

import zstandard

if TYPE_CHECKING:
    from collections.abc import Callable

CONTROL = b"Package: a\nVersion: 1\nArchitecture: all\nMaintainer: A <a@example.org>\nDescription: small\n"
COMPRESSIONS: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": gzip.compress,
    ".xz": lzma.compress,
    ".zst": zstandard.ZstdCompressor().compress,
}


def ar(members: dict[str, bytes]) -> bytes:
    """Return an ar(5) archive."""
    parts = [b"!<arch>\n"]
    for name, data in members.items():
        parts.append(f"{name:16}{0:<12}{0:<6}{0:<6}{'100644':8}{len(data):<10}`\n".encode())
        parts.append(data + b"\n" * (len(data) % 2))
    return b"".join(parts)


def entry(name: str, content: bytes = b"", **fields: object) -> tuple[tarfile.TarInfo, bytes]:
    """Return a tar entry, a file unless `fields` (TarInfo's attributes) say otherwise."""
    info = tarfile.TarInfo(name)
    info.size = len(content)
    info.mode = 0o644
    for key, value in fields.items():
        setattr(info, key, value)
    return info, content


def tar(*entries: tuple[tarfile.TarInfo, bytes]) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for info, content in entries:
            archive.addfile(info, io.BytesIO(content))
    return file.getvalue()


def deb(data: bytes, control: bytes | None = None, compression: str = ".xz") -> bytes:
    """Return a package of a data tar."""
    compress = COMPRESSIONS[compression]
    inner = tar(entry("./control", CONTROL)) if control is None else control
    return ar(
        {
            "debian-binary": b"2.0\n",
            f"control.tar{compression}": compress(inner),
            f"data.tar{compression}": compress(data),
        }
    )
