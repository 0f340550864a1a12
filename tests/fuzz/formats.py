"""Formats that no family owns: compression, OpenPGP's status lines, boot images, file systems, keyboxes."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import struct
import tempfile
from pathlib import Path

import zstandard

from fuzz.harness import Harness
from oic.image.boot.uki import assemble_uki, section_names
from oic.image.fs.inodes import times_in
from oic.provider.compression import SUPPORTED, decompressed, plain_stream
from oic.provider.openpgp import _not_imported, signers_of, status_of
from oic.provider.rpm.keybox import _set_times

LIMIT = 1 << 20
PLAIN = b"content " * 40
PACKED = {
    "bz2": bz2.compress(PLAIN),
    "gz": gzip.compress(PLAIN, mtime=0),
    "lzma": lzma.compress(PLAIN, lzma.FORMAT_ALONE),
    "xz": lzma.compress(PLAIN),
    "zst": zstandard.ZstdCompressor().compress(PLAIN),
    "": PLAIN,
}


def _decompress(data: bytes) -> None:
    kind = SUPPORTED[(data[:1] or b"\0")[0] % len(SUPPORTED)]
    plain = decompressed(data[1:], kind, LIMIT, where="an index")
    assert len(plain) <= LIMIT


def _stream(data: bytes) -> None:
    kind = SUPPORTED[(data[:1] or b"\0")[0] % len(SUPPORTED)]
    total = 0
    with plain_stream(io.BytesIO(data[1:]), kind, LIMIT, where="a package", what="the payload") as stream:
        while piece := stream.read(1 << 14):
            total += len(piece)
    assert total <= LIMIT


def _compressed() -> list[bytes]:
    found = [bytes([SUPPORTED.index(kind)]) + data for kind, data in PACKED.items()]
    return [*found, bytes([SUPPORTED.index("zst")]) + PACKED["zst"] * 2]


def _status(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    _not_imported(text, "a key")
    signers_of(status_of(text), "InRelease")


VALIDSIG = f"[GNUPG:] VALIDSIG {'A' * 40} 2026-07-11 1783764997 0 4 0 1 8 01 {'B' * 40}\n"
STATUS = [
    f"gpg: Signature made\n[GNUPG:] NEWSIG\n[GNUPG:] GOODSIG {'A' * 16} A <a@example.org>\n{VALIDSIG}",
    f"[GNUPG:] ERRSIG {'A' * 16} 1 8 01 1783764997 9 {'A' * 40}\n[GNUPG:] NO_PUBKEY {'A' * 16}\n",
    f"[GNUPG:] EXPKEYSIG {'A' * 16} A\n",
    "gpg: [don't know]: invalid packet\n[GNUPG:] NODATA 1\n",
]
SECTIONS = [(".osrel", b"ID=a\n"), (".cmdline", b"quiet"), (".initrd", b"")]


def _boot_image(data: bytes) -> None:
    section_names(data)
    whole = assemble_uki(data, [*SECTIONS, (".linux", data)])
    assert section_names(whole)[-1] == ".linux"
    assert whole == assemble_uki(data, [*SECTIONS, (".linux", data)])


def stub() -> list[bytes]:
    """A PE32+ image of two sections, with room in its table for more."""
    optional = struct.pack(
        "<HBBIIIIIQIIHHHHHHIIIIHH",
        0x20B,
        2,
        0,
        512,
        512,
        0,
        4096,
        4096,
        0,
        4096,
        512,
        *(0,) * 6,
        0,
        12288,
        1024,
        0,
        10,
        0,
    )
    optional = optional.ljust(240, b"\0")
    head = b"MZ".ljust(0x3C, b"\0") + struct.pack("<I", 64) + b"PE\0\0"
    head += struct.pack("<HHIIIHH", 0x8664, 2, 0, 0, 0, len(optional), 0x22E) + optional
    for number, name in enumerate((b".text", b".sbat")):
        head += struct.pack(
            "<8sIIIIIIHHI", name, 16, 4096 * (number + 1), 512, 1024 + 512 * number, 0, 0, 0, 0, 0x60000020
        )
    return [head.ljust(1024, b"\0") + bytes(1024), head.ljust(1024, b"\0")]


def _inodes(data: bytes) -> None:
    """The first bytes are the fields of the superblock, what follows is the block of descriptors and so on."""
    image = io.BytesIO(_file_system(data[:18], data[18:]))
    for count, (number, times) in enumerate(times_in(image, Path("fuzzed.img"))):
        assert number > 0
        assert len(times) == 8
        assert count < len(data), "more inodes than the image has"


def _file_system(fields: bytes, blocks: bytes) -> bytes:
    inodes, free, log, per_group, magic, inode, descriptor = struct.unpack("<IHHIHHH", fields.ljust(18, b"\0"))
    block = bytearray(4096)
    struct.pack_into("<I", block, 1024, inodes)
    struct.pack_into("<I", block, 1024 + 16, free)
    struct.pack_into("<I", block, 1024 + 24, log)
    struct.pack_into("<I", block, 1024 + 40, per_group)
    struct.pack_into("<H", block, 1024 + 56, magic)
    struct.pack_into("<H", block, 1024 + 88, inode)
    struct.pack_into("<H", block, 1024 + 254, descriptor)
    return bytes(block) + blocks


def _file_systems() -> list[bytes]:
    descriptors = (bytes(8) + struct.pack("<I", 2)).ljust(4096, b"\0")
    table = b"".join(struct.pack("<H", 0o100644).ljust(256, b"\1") for _ in range(16))
    return [struct.pack("<IHHIHHH", 16, 1, 2, 16, 0xEF53, 256, 64) + descriptors + table]


def _keybox(data: bytes) -> None:
    with tempfile.TemporaryDirectory(prefix="fuzz-") as place:
        home = Path(place) / "root/.gnupg"
        home.mkdir(parents=True)
        (home / "pubring.kbx").write_bytes(data)
        _set_times(Path(place), 1_700_000_000)
        after = (home / "pubring.kbx").read_bytes()
    assert (after[:16], after[24:], len(after)) == (data[:16], data[24:], len(data))


HARNESSES = (
    Harness(
        name="decompressed",
        run=_decompress,
        seeds=_compressed,
        fuzz_seconds=600,
    ),
    Harness(name="streams", run=_stream, seeds=_compressed, fuzz_seconds=600),
    Harness(name="gpg-status", run=_status, seeds=lambda: [text.encode() for text in STATUS]),
    Harness(name="boot-image", run=_boot_image, seeds=stub),
    Harness(name="ext4-inodes", run=_inodes, seeds=_file_systems, most=9000),
    Harness(name="keybox", run=_keybox, seeds=lambda: [bytes(8) + b"KBXf" + bytes(20), b""], most=64, mutants=300),
)
