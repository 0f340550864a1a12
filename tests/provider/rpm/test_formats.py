"""Packages as programs other than this host's rpmbuild and rpmsign write them: accepted where rpm accepts them."""

from __future__ import annotations

import base64
import hashlib
import io
import struct
import subprocess
from typing import TYPE_CHECKING

import pytest

from oic.errors import TrustError
from oic.ospackage.store import Store
from oic.provider.rpm.contents import check_contents
from oic.provider.rpm.header import read_rpm
from oic.provider.rpm.package import files_of
from oic.provider.rpm.tags import Sig, Tag
from oic.provider.rpm.verify import verify

from .keys import Key
from .made import header_of, lock_of, locked, needs_rpm, repository
from .surgery import TRAILER, binary, cpio_entry, numbers, package, text

if TYPE_CHECKING:
    from pathlib import Path

    from .surgery import Parts

PAYLOAD_SHA256_ALGORITHM = 5093
TWO_FILES = (("/usr/a", b"one", 0o100644), ("/usr/b", b"two", 0o100644))


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Key:
    needs_rpm()
    return Key(home=tmp_path_factory.mktemp("keys") / "key").make("rsa2048")


def _refusal(data: bytes, key: Key, place: Path) -> str:
    """Return why a package is refused, or nothing; rpm must come to the same."""
    file = place / "made.rpm"
    file.write_bytes(data)
    (place / "key.asc").write_bytes(key.public())
    database = f"--dbpath={place / 'db'}"
    subprocess.run(["rpmkeys", database, "--import", str(place / "key.asc")], check=True)
    argv = ["rpmkeys", database, "--define", "_pkgverify_level all", "--checksig", str(file)]
    accepted = subprocess.run(argv, capture_output=True, check=False).returncode == 0
    store = Store(place / "store")
    entry = locked(file, store)
    refusal = ""
    try:
        verify(lock_of([entry], repository(store, key)), [entry], store)
    except TrustError as error:
        refusal = str(error)
    assert accepted == (not refusal), refusal
    return refusal


def _signed(parts: Parts, key: Key) -> Parts:
    parts.signature[Sig.RSA] = binary(key.detached(parts.header_bytes()))
    return parts


def _region_trailer(data: bytes, region: int, tag: int) -> bytes:
    """Return a package with another tag in the trailer of a region."""
    rpm = read_rpm(io.BytesIO(data), "whole")
    header = rpm.signature if region == Sig.REGION else rpm.header
    rows = header.signed[-16:]
    assert rows[:4] == struct.pack(">I", region)
    assert data.count(rows) == 1
    return data.replace(rows, struct.pack(">I", tag) + rows[4:])


@pytest.mark.parametrize("tag", [61, 62])
def test_the_trailer_of_the_signature_header_s_region_may_have_two_tags(tag: int, key: Key, tmp_path: Path) -> None:
    data = _signed(package(*TWO_FILES), key).bytes()
    assert not _refusal(_region_trailer(data, Sig.REGION, tag), key, tmp_path)


def test_the_trailer_of_the_main_header_s_region_may_have_one_tag() -> None:
    data = package(*TWO_FILES).bytes()
    for region, tag in ((Tag.REGION, 61), (Tag.REGION, 62), (Sig.REGION, 63)):
        with pytest.raises(TrustError, match=f"expected a trailer of region {region:d}, found tag {tag} of type 7"):
            read_rpm(io.BytesIO(_region_trailer(data, region, tag)), "a package")


@pytest.mark.parametrize("number", [None, 8, 10, 0])
def test_the_payload_digest_is_sha256_whatever_tag_5093_says(number: int | None, key: Key, tmp_path: Path) -> None:
    """rpm 6 does not write it, and no rpm reads it."""
    parts = package(*TWO_FILES)
    if number is not None:
        parts.header[PAYLOAD_SHA256_ALGORITHM] = numbers(number)
    assert not _refusal(_signed(parts, key).bytes(), key, tmp_path)


@pytest.mark.parametrize("name", ["md5", "sha1", "sha512"])
def test_a_payload_digest_of_another_algorithm_is_refused(name: str, key: Key, tmp_path: Path) -> None:
    parts = package(*TWO_FILES)
    parts.header[PAYLOAD_SHA256_ALGORITHM] = numbers({"md5": 1, "sha1": 2, "sha512": 10}[name])
    parts.header[Tag.PAYLOAD_SHA256] = text(hashlib.new(name, parts.payload).hexdigest())
    assert "expected a payload of sha256 " in _refusal(_signed(parts, key).bytes(), key, tmp_path)


def _version_6(packet: bytes) -> str:
    """Return a signature of version 6 as tag 278 has it, RFC 9580 section 5.2.3; of what, nobody here can tell."""
    body = b"\x06\0\x1b\x0a" + packet[-64:]
    return base64.b64encode(b"\xc2" + bytes([len(body)]) + body).decode()


def test_a_signature_of_version_6_is_ignored_beside_another(key: Key, tmp_path: Path) -> None:
    parts = _signed(package(*TWO_FILES), key)
    good = parts.signature[Sig.RSA].data
    parts.signature[Sig.OPENPGP] = text(_version_6(good))
    assert not _refusal(parts.bytes(), key, tmp_path)
    parts.signature[Sig.OPENPGP] = text(_version_6(good), base64.b64encode(good).decode())
    assert not _refusal(parts.bytes(), key, tmp_path)


def test_a_package_with_only_signatures_of_version_6_is_refused(key: Key, tmp_path: Path) -> None:
    parts = package(*TWO_FILES)
    parts.signature[Sig.OPENPGP] = text(_version_6(bytes(64)))
    refusal = _refusal(parts.bytes(), key, tmp_path)
    assert "expected a signature of version 4, found only those of version 6, which gpg cannot check" in refusal


def test_a_signature_of_version_6_does_not_replace_a_bad_one(key: Key, tmp_path: Path) -> None:
    parts = _signed(package(*TWO_FILES), key)
    parts.signature[Sig.OPENPGP] = text(_version_6(parts.signature[Sig.RSA].data))
    parts.header[Tag.BUILD_TIME] = numbers(1)
    assert "a signature that does not match" in _refusal(parts.bytes(), key, tmp_path)


@pytest.mark.parametrize("absent", [Tag.FILE_DEVICES, Tag.FILE_INODES])
def test_without_devices_or_inodes_there_are_no_hard_links(absent: Tag, key: Key, tmp_path: Path) -> None:
    parts = package(*TWO_FILES)
    parts.header[Tag.FILE_INODES] = numbers(7, 7)
    del parts.header[absent]
    data = _signed(parts, key).bytes()
    assert not _refusal(data, key, tmp_path)
    files = files_of(read_rpm(io.BytesIO(data), "whole").header)
    assert len({(file.device, file.inode) for file in files}) == 2
    assert header_of(tmp_path / "made.rpm", "[%{FILENLINKS} ]") == "1 1 "


def test_without_devices_an_empty_first_name_of_a_file_is_refused() -> None:
    content = (("/usr/a", b"same", 0o100644), ("/usr/b", b"same", 0o100644))
    names = cpio_entry("./usr/a"), cpio_entry("./usr/b", b"same"), TRAILER
    parts = package(*content, payload=b"".join(names))
    parts.header[Tag.FILE_INODES] = numbers(7, 7)
    _read_all(parts.bytes())
    del parts.header[Tag.FILE_DEVICES]
    with pytest.raises(TrustError, match="expected 4 bytes of '/usr/a', as the header says, found 0"):
        _read_all(parts.bytes())


def _read_all(data: bytes) -> None:
    file = io.BytesIO(data)
    check_contents(file, read_rpm(file, "a package"))
