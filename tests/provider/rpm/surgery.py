"""Packages taken apart and put together otherwise: what rpmbuild and rpmsign would never make."""

from __future__ import annotations

import gzip
import hashlib
import io
import struct
from dataclasses import dataclass

from oic.provider.rpm.header import Header, read_rpm
from oic.provider.rpm.tags import Sig, Tag

MAGIC = b"\x8e\xad\xe8\x01\0\0\0\0"
INT16, INT32, STRING, BINARY, STRINGS = 3, 4, 6, 7, 8
_ALIGNMENT = {INT16: 2, INT32: 4, 5: 8}


@dataclass(frozen=True, kw_only=True)
class Value:
    """A tag's type, number of values and bytes."""

    kind: int
    count: int
    data: bytes


def text(*words: str) -> Value:
    return Value(kind=STRINGS, count=len(words), data=b"".join(word.encode() + b"\0" for word in words))


def one(word: str) -> Value:
    return Value(kind=STRING, count=1, data=word.encode() + b"\0")


def numbers(*values: int, kind: int = INT32) -> Value:
    return Value(kind=kind, count=len(values), data=struct.pack(f">{len(values)}{' HI'[kind - 2]}", *values))


def binary(data: bytes) -> Value:
    return Value(kind=BINARY, count=len(data), data=data)


def header_bytes(region: int, values: dict[int, Value]) -> bytes:
    """Return a header that is all region."""
    index, store = b"", b""
    for tag, value in sorted(values.items()):
        store += bytes(-len(store) % _ALIGNMENT.get(value.kind, 1))
        index += struct.pack(">IIiI", tag, value.kind, len(store), value.count)
        store += value.data
    size = 16 * (len(values) + 1)
    index = struct.pack(">IIiI", region, BINARY, len(store), 16) + index
    store += struct.pack(">IIiI", region, BINARY, -size, 16)
    return MAGIC + struct.pack(">II", len(values) + 1, len(store)) + index + store


@dataclass(kw_only=True)
class Parts:
    """A package in parts. `bytes` puts them together with the digests that belong to them, unless `digests` is off."""

    lead: bytes
    signature: dict[int, Value]
    header: dict[int, Value]
    payload: bytes
    digests: bool = True

    def header_bytes(self) -> bytes:
        return header_bytes(Tag.REGION, self.header)

    def set_payload(self, plain: bytes) -> Parts:
        """Give the package another payload, and its header the digest of that."""
        self.payload = gzip.compress(plain, 1)
        self.header[Tag.PAYLOAD_COMPRESSOR] = one("gzip")
        self.header[Tag.PAYLOAD_SHA256] = text(hashlib.sha256(self.payload).hexdigest())
        return self

    def bytes(self) -> bytes:
        header = self.header_bytes()
        if self.digests:
            self.signature[Sig.SHA256] = one(hashlib.sha256(header).hexdigest())
            self.signature[Sig.SHA1] = one(hashlib.sha1(header).hexdigest())
            self.signature[Sig.SIZE] = numbers(len(header) + len(self.payload))
        signature = header_bytes(Sig.REGION, self.signature)
        return self.lead + signature + bytes(-len(signature) % 8) + header + self.payload


def parts_of(data: bytes) -> Parts:
    """Take a package apart; its signatures, and digests nobody needs, are left behind."""
    rpm = read_rpm(io.BytesIO(data), "whole")
    return Parts(lead=data[:96], signature={}, header=values_of(rpm.header), payload=data[rpm.payload_offset :])


def values_of(header: Header) -> dict[int, Value]:
    return {
        tag: Value(kind=entry.kind, count=entry.count, data=header.store[entry.start : entry.end])
        for tag, entry in header.entries.items()
    }


def cpio_entry(name: str | bytes, content: bytes = b"", mode: int = 0o100644, size: int | None = None) -> bytes:
    """Return a cpio entry of the form newc."""
    raw = name.encode("utf-8", "surrogateescape") if isinstance(name, str) else name
    raw += b"\0"
    told = len(content) if size is None else size
    head = b"070701" + b"".join(b"%08x" % value for value in (1, mode, 0, 0, 1, 0, told, 0, 0, 0, 0, len(raw), 0))
    return _padded(head + raw) + _padded(content)


def cpio_numbered(number: int, content: bytes = b"") -> bytes:
    """Return an entry of rpm's own form."""
    return _padded(b"07070X%08x" % number) + _padded(content)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


TRAILER = cpio_entry("TRAILER!!!", mode=0)


def content(*files: tuple[str, bytes, int]) -> dict[int, Value]:
    """Return the tags of a file list of (path, content, mode); a link's content is its target."""
    names = [path.rpartition("/") for path, _, _ in files]
    links = [data.decode() if mode & 0o170000 == 0o120000 else "" for _, data, mode in files]
    digests = [hashlib.sha256(data).hexdigest() if mode & 0o170000 == 0o100000 else "" for _, data, mode in files]
    zeros = [0] * len(files)
    return {
        Tag.BASE_NAMES: text(*(name for _, _, name in names)),
        Tag.DIRECTORY_NAMES: text(*(f"{directory}/" for directory, _, _ in names)),
        Tag.DIRECTORY_INDEXES: numbers(*range(len(files))),
        Tag.FILE_SIZES: numbers(*(len(data) for _, data, _ in files)),
        Tag.FILE_MODES: numbers(*(mode for _, _, mode in files), kind=INT16),
        Tag.FILE_MTIMES: numbers(*(1_600_000_000 for _ in files)),
        Tag.FILE_LINKS: text(*links),
        Tag.FILE_DIGESTS: text(*digests),
        Tag.FILE_FLAGS: numbers(*zeros),
        Tag.FILE_USERS: text(*("root" for _ in files)),
        Tag.FILE_GROUPS: text(*("root" for _ in files)),
        Tag.FILE_DEVICES: numbers(*(1 for _ in files)),
        Tag.FILE_INODES: numbers(*range(1, len(files) + 1)),
        Tag.FILE_DIGEST_ALGORITHM: numbers(8),
    }


def package(*files: tuple[str, bytes, int], payload: bytes | None = None, name: str = "made") -> Parts:
    """Return an unsigned package of files; its payload is what the files say, or `payload` (plain)."""
    entries = [cpio_entry(f".{path}", b"" if mode & 0o170000 == 0o040000 else data, mode) for path, data, mode in files]
    header = {
        Tag.NAME: one(name),
        Tag.VERSION: one("1.0"),
        Tag.RELEASE: one("1"),
        Tag.ARCHITECTURE: one("noarch"),
        Tag.BUILD_TIME: numbers(1_700_000_000),
        Tag.PAYLOAD_FORMAT: one("cpio"),
        **(content(*files) if files else {}),
    }
    lead = b"\xed\xab\xee\xdb\x03\0\0\0\0\1" + name.encode().ljust(66, b"\0") + b"\0\1\0\5" + bytes(16)
    parts = Parts(lead=lead, signature={}, header=header, payload=b"")
    return parts.set_payload(b"".join([*entries, TRAILER]) if payload is None else payload)
