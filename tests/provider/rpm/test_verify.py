"""Verdicts on packages: who signed them, and every way in which one may not be what it should."""

from __future__ import annotations

import base64
import hashlib
import re
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from oic.errors import TrustError
from oic.ospackage.store import Store
from oic.provider.protocol import Verdict
from oic.provider.rpm.tags import Sig, Tag
from oic.provider.rpm.verify import verify

from .keys import Key, version_3
from .made import Made, lock_of, locked, needs_rpm, repository
from .surgery import binary, numbers, package, parts_of, text

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .surgery import Parts

PAST = "20200101T000000!"
WEAK = ("--allow-weak-digest-algos", "--digest-algo")


@pytest.fixture(scope="module", autouse=True)
def _rpm() -> None:
    needs_rpm()


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Key]:
    """Return keys by algorithm, or by what is wrong with them; each is made once."""
    place = tmp_path_factory.mktemp("keys")
    made: dict[str, Key] = {}

    def key(kind: str) -> Key:
        if kind not in made:
            made[kind] = Key(home=place / kind).make(kind if kind[-1].isdigit() else "ed25519")
        return made[kind]

    return key


@pytest.fixture(scope="module")
def unsigned(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return Made(epoch=1).make(tmp_path_factory.mktemp("unsigned")).read_bytes()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def _file(place: Path, data: bytes, name: str = "small.rpm") -> Path:
    place.mkdir(exist_ok=True)
    (place / name).write_bytes(data)
    return place / name


def _verdict(file: Path, store: Store, *keys: Key, trusted: bool = False, **fields: object) -> Verdict:
    entry = locked(file, store, **fields)
    return verify(lock_of([entry], repository(store, *keys, trusted=trusted)), [entry], store)[entry.name]


def _refused(file: Path, store: Store, *keys: Key, trusted: bool = False, **fields: object) -> str:
    with pytest.raises(TrustError) as raised:
        _verdict(file, store, *keys, trusted=trusted, **fields)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def _rpm_accepts(file: Path, place: Path, *keys: Key) -> bool:
    """Return what rpm itself says of a package, with these keys and no other, everything demanded."""
    database = f"--dbpath={place / 'db'}"
    for number, key in enumerate(keys):
        (place / f"{number}.asc").write_bytes(key.public())
        subprocess.run(["rpmkeys", database, "--import", str(place / f"{number}.asc")], check=True)
    argv = ["rpmkeys", database, "--define", "_pkgverify_level all", "--checksig", "--verbose", str(file)]
    return subprocess.run(argv, capture_output=True, check=False).returncode == 0


def _signed(parts: Parts, key: Key, *words: str, tag: int = Sig.RSA) -> Parts:
    parts.signature[tag] = binary(key.detached(parts.header_bytes(), *words))
    return parts


@pytest.mark.parametrize("over", ["header", "payload"])
@pytest.mark.parametrize("algorithm", ["rsa2048", "ed25519", "dsa2048"])
def test_a_good_signature(
    algorithm: str, over: str, unsigned: bytes, keys: Callable[[str], Key], store: Store, tmp_path: Path
) -> None:
    key = keys(algorithm)
    file = key.sign(_file(tmp_path, unsigned), *(["--rpmv3"] if over == "payload" else []))
    verdict = _verdict(file, store, keys("rsa3072"), key)
    assert verdict == Verdict(signed=True, words=f"signed by {key.fingerprint}; listed by base")
    assert _rpm_accepts(file, tmp_path, key)


@pytest.mark.parametrize("over", [Sig.RSA, Sig.PGP])
def test_a_signature_of_version_3(
    over: Sig, unsigned: bytes, keys: Callable[[str], Key], store: Store, tmp_path: Path
) -> None:
    key, parts = keys("rsa2048"), parts_of(unsigned)
    data = parts.header_bytes() + (parts.payload if over is Sig.PGP else b"")
    parts.signature[over] = binary(version_3(key, data))
    assert _verdict(_file(tmp_path, parts.bytes()), store, key).signed
    assert _rpm_accepts(_file(tmp_path, parts.bytes()), tmp_path, key)
    parts.signature[over] = binary(version_3(key, data + b"x"))
    assert "does not match" in _refused(_file(tmp_path, parts.bytes()), store, key)


def test_a_packet_of_the_new_format(unsigned: bytes, keys: Callable[[str], Key], store: Store, tmp_path: Path) -> None:
    key, parts = keys("rsa2048"), parts_of(unsigned)
    parts.signature[Sig.RSA] = binary(_new_format(key.detached(parts.header_bytes())))
    assert _verdict(_file(tmp_path, parts.bytes()), store, key).signed


def _new_format(packet: bytes) -> bytes:
    body = packet[3:]
    assert packet[0] == 0x89  # an old format with a length of two bytes
    return b"\xc2\xff" + len(body).to_bytes(4, "big") + body


def test_signatures_in_the_tag_of_rpm_6_are_read(
    unsigned: bytes, keys: Callable[[str], Key], store: Store, tmp_path: Path
) -> None:
    first, second, parts = keys("rsa2048"), keys("ed25519"), parts_of(unsigned)
    packets = [key.detached(parts.header_bytes()) for key in (first, second)]
    parts.signature[Sig.OPENPGP] = text(*(base64.b64encode(packet).decode() for packet in packets))
    verdict = _verdict(_file(tmp_path, parts.bytes()), store, first, second)
    assert all(key.fingerprint in verdict.words for key in (first, second))
    assert f"unknown keys {second.fingerprint[-16:]}" in _refused(_file(tmp_path, parts.bytes()), store, first)
    parts.signature[Sig.OPENPGP] = text("no base64!")
    assert "expected base64 in tag 278" in _refused(_file(tmp_path, parts.bytes()), store, first)


def test_the_verdict_names_the_primary_key_of_a_subkey(unsigned: bytes, store: Store, tmp_path: Path) -> None:
    key = Key(home=tmp_path / "with-subkey").make("rsa2048")
    key.gpg("--quick-add-key", key.fingerprint, "rsa2048", "sign")
    assert _verdict(key.sign(_file(tmp_path, unsigned)), store, key).words.startswith(f"signed by {key.fingerprint};")


def test_an_unsigned_package_is_refused(
    unsigned: bytes, keys: Callable[[str], Key], store: Store, tmp_path: Path
) -> None:
    words = _refused(_file(tmp_path, unsigned), store, keys("rsa2048"))
    assert words == "small 1:1.0-1: expected a signature by a key of base, found none"


def test_the_verdict_on_an_unsigned_package_of_a_trusted_repository_says_unsigned(
    unsigned: bytes, keys: Callable[[str], Key], store: Store, tmp_path: Path
) -> None:
    expected = Verdict(signed=False, words="unsigned: sha256 listed by base, which the recipe trusts")
    file = _file(tmp_path, unsigned)
    assert _verdict(file, store, trusted=True) == expected
    assert _verdict(file, store, keys("rsa2048"), trusted=True) == expected
    assert _verdict(keys("ed25519").sign(file), store, trusted=True) == expected
    assert "unknown key" in _refused(file, store, keys("rsa2048"), trusted=True)


def test_packages_of_a_repository_without_a_key_are_refused(unsigned: bytes, store: Store, tmp_path: Path) -> None:
    file = _file(tmp_path, unsigned)
    assert "expected a key of its repository, found none for base" in _refused(file, store)
    assert "expected a key of its repository, found none for other" in _refused(
        file, store, trusted=True, repository="other"
    )


def test_a_foreign_signature(unsigned: bytes, keys: Callable[[str], Key], store: Store, tmp_path: Path) -> None:
    file = keys("rsa2048").sign(_file(tmp_path, unsigned))
    words = _refused(file, store, keys("rsa3072"))
    assert f"found signatures by unknown keys {keys('rsa2048').fingerprint[-16:]}" in words
    assert not _rpm_accepts(file, tmp_path, keys("rsa3072"))


def test_a_signature_by_an_unknown_key_is_refused_beside_a_good_one(
    unsigned: bytes, keys: Callable[[str], Key], store: Store, tmp_path: Path
) -> None:
    parts = _signed(parts_of(unsigned), keys("rsa2048"))
    file = _file(tmp_path, _signed(parts, keys("ed25519"), tag=Sig.DSA).bytes())
    assert "found signatures by unknown keys" in _refused(file, store, keys("rsa2048"))
    assert _verdict(file, store, keys("rsa2048"), keys("ed25519")).signed


def test_an_expired_signature(unsigned: bytes, store: Store, tmp_path: Path) -> None:
    key = Key(home=tmp_path / "old").make("rsa2048", f"--faked-system-time={PAST}")
    parts = _signed(parts_of(unsigned), key, f"--faked-system-time={PAST}", "--default-sig-expire", "1y")
    assert "found an expired signature" in _refused(_file(tmp_path, parts.bytes()), store, key)


def test_a_revoked_key(unsigned: bytes, store: Store, tmp_path: Path) -> None:
    key = Key(home=tmp_path / "revoked").make("rsa2048")
    file = key.sign(_file(tmp_path, unsigned))
    assert _verdict(file, store, key).signed
    assert "found a signature by a revoked key" in _refused(file, store, key.revoke())


@pytest.mark.parametrize("weak", ["MD5", "SHA1", "RIPEMD160"])
@pytest.mark.parametrize("tag", [Sig.RSA, Sig.PGP])
def test_a_signature_of_a_weak_hash(
    tag: Sig, weak: str, unsigned: bytes, keys: Callable[[str], Key], store: Store, tmp_path: Path
) -> None:
    key, parts = keys("rsa2048"), _signed(parts_of(unsigned), keys("rsa2048"))
    data = parts.header_bytes() + (parts.payload if tag is Sig.PGP else b"")
    parts.signature[tag] = binary(key.detached(data, *WEAK, weak))
    words = _refused(_file(tmp_path, parts.bytes()), store, key)
    assert f"expected one OpenPGP signature in tag {tag:d} ({tag.name}), found one of {weak.lower()}, too weak" in words


def test_an_altered_header(unsigned: bytes, keys: Callable[[str], Key], store: Store, tmp_path: Path) -> None:
    signed = keys("rsa2048").sign(_file(tmp_path, unsigned)).read_bytes()
    file = _file(tmp_path, signed.replace(b"made for a test", b"made for a joke"))
    assert "expected a header of sha256" in _refused(file, store, keys("rsa2048"))
    assert not _rpm_accepts(file, tmp_path, keys("rsa2048"))
    parts = _signed(parts_of(unsigned), keys("rsa2048"))
    parts.header[Tag.BUILD_TIME] = numbers(1)
    file = _file(tmp_path, parts.bytes())
    assert "a signature that does not match" in _refused(file, store, keys("rsa2048"))
    assert not _rpm_accepts(file, tmp_path, keys("rsa2048"))


def test_a_header_of_another_sha1(unsigned: bytes, keys: Callable[[str], Key], store: Store, tmp_path: Path) -> None:
    parts = _signed(parts_of(unsigned), keys("rsa2048"))
    data = parts.bytes()
    sha1 = hashlib.sha1(parts.header_bytes()).hexdigest().encode()
    assert "expected a header of sha1" in _refused(
        _file(tmp_path, data.replace(sha1, b"0" * 40)), store, keys("rsa2048")
    )


def test_an_altered_payload(unsigned: bytes, keys: Callable[[str], Key], store: Store, tmp_path: Path) -> None:
    for words in ((), ("--rpmv3",)):
        signed = keys("rsa2048").sign(_file(tmp_path, unsigned), *words).read_bytes()
        file = _file(tmp_path, signed[:-9] + bytes([signed[-9] ^ 1]) + signed[-8:])
        assert "expected a payload of sha256" in _refused(file, store, keys("rsa2048"))
        assert not _rpm_accepts(file, tmp_path, keys("rsa2048"))


def test_without_a_payload_digest_the_signature_must_cover_the_payload(
    keys: Callable[[str], Key], store: Store, tmp_path: Path
) -> None:
    parts, key = package(("/usr/a", b"x", 0o100644)), keys("rsa2048")
    del parts.header[Tag.PAYLOAD_SHA256]
    words = _refused(_file(tmp_path, _signed(parts, key).bytes()), store, key)
    assert "expected a payload digest in the signed header or a signature over the payload, found neither" in words
    parts.signature[Sig.PGP] = binary(key.detached(parts.header_bytes() + parts.payload))
    assert _verdict(_file(tmp_path, parts.bytes()), store, key).signed
    parts.payload = parts.payload[:-1] + b"!"
    assert "a signature that does not match" in _refused(_file(tmp_path, parts.bytes()), store, key)


@pytest.mark.parametrize("field", ["name", "version", "architecture"])
def test_another_signed_package_is_refused(
    field: str, unsigned: bytes, keys: Callable[[str], Key], store: Store, tmp_path: Path
) -> None:
    file = keys("rsa2048").sign(_file(tmp_path, unsigned))
    fields: dict[str, Any] = {field: "other"}
    words = _refused(file, store, keys("rsa2048"), **fields)
    assert re.search("expected the package .*other.*, found small 1:1.0-1 noarch", words)


def test_a_different_epoch_is_a_different_package(
    unsigned: bytes, keys: Callable[[str], Key], store: Store, tmp_path: Path
) -> None:
    file = keys("rsa2048").sign(_file(tmp_path, unsigned))
    assert "found small 1:1.0-1 noarch" in _refused(file, store, keys("rsa2048"), version="1.0-1")


def test_a_blob_that_is_not_what_its_name_says_is_removed(
    unsigned: bytes, keys: Callable[[str], Key], store: Store, tmp_path: Path
) -> None:
    entry = locked(keys("rsa2048").sign(_file(tmp_path, unsigned)), store)
    store.path(entry.sha256).chmod(0o644)
    store.path(entry.sha256).write_bytes(unsigned)
    with pytest.raises(TrustError, match=f"small 1:1.0-1: .*expected sha256 {entry.sha256}"):
        verify(lock_of([entry], repository(store, keys("rsa2048"))), [entry], store)
    assert not store.has(entry.sha256)


def test_every_bad_package_is_reported_at_once_with_its_repository(
    keys: Callable[[str], Key], store: Store, tmp_path: Path
) -> None:
    first, second = keys("rsa2048"), keys("ed25519")
    parts = {name: package(name=name) for name in ("a", "b", "c", "d")}
    signers = {"a": first, "b": second, "c": second, "d": first}
    files = {name: _file(tmp_path, _signed(part, signers[name]).bytes(), name) for name, part in parts.items()}
    origin = {"a": "one", "b": "one", "c": "two", "d": "two"}
    entries = [locked(file, store, repository=origin[name]) for name, file in files.items()]
    repositories = repository(store, first, name="one"), repository(store, second, name="two")
    with pytest.raises(TrustError) as raised:
        verify(lock_of(entries, *repositories), entries, store)
    assert [line[:9] for line in str(raised.value).splitlines()] == ["b 1.0-1: ", "d 1.0-1: "]


MALFORMED: dict[str, tuple[Callable[[bytes, Key], bytes], str]] = {
    "empty": (lambda _packet, _key: b"\0", "no packet"),
    "two": (lambda packet, _key: packet + packet, "packets of type 2, 2"),
    "trailing": (lambda packet, _key: packet + b"\0", "no packet at byte"),
    "cut off": (lambda packet, _key: packet[:-1], "bytes in"),
    "one byte": (lambda packet, _key: packet[:1], "a packet cut off inside"),
    "without a length": (lambda packet, _key: b"\x8b" + packet[3:], "a packet without a length"),
    "in parts": (lambda packet, _key: b"\xc2\xe1" + packet[3:], "a packet in parts"),
    "a key": (lambda _packet, key: key.gpg("--export", key.fingerprint), "packets of type 6, 13, 2"),
    "a message": (lambda _packet, key: key.gpg("--sign", "--compress-algo", "none", data=b"x"), "packets of type 4"),
    "version 2": (lambda packet, _key: packet[:3] + b"\2" + packet[4:], "a signature of version 2"),
    "version 5": (lambda packet, _key: packet[:3] + b"\5" + packet[4:], "a signature of version 5"),
    "version 6": (lambda packet, _key: packet[:3] + b"\6" + packet[4:], "a signature of version 6"),
    "of a text": (lambda packet, _key: packet[:4] + b"\1" + packet[5:], "type 1, not one of a document"),
    "of a key": (lambda packet, _key: packet[:4] + b"\x10" + packet[5:], "type 16, not one of a document"),
    "algorithm": (lambda packet, _key: packet[:5] + b"\x63" + packet[6:], "public-key algorithm 99"),
    "hash": (lambda packet, _key: packet[:6] + b"\x63" + packet[7:], "one of hash algorithm 99, too weak"),
    "hashed part": (lambda packet, _key: packet[:7] + b"\xff\xff" + packet[9:], "a packet cut off inside"),
    "subpacket": (lambda packet, _key: packet[:9] + b"\xfe" + packet[10:], "a damaged subpacket"),
    "number": (lambda packet, _key: _old(packet[3:-1]), "bytes too many or too few"),
    "more numbers": (lambda packet, _key: _old(packet[3:] + b"\0\1\1"), "bytes too many or too few"),
    "nobody's": (lambda packet, _key: _without_issuer(packet), "one that names no key"),
}


def _old(body: bytes) -> bytes:
    return b"\x89" + len(body).to_bytes(2, "big") + body


def _without_issuer(packet: bytes) -> bytes:
    body = packet[3:]
    hashed = int.from_bytes(body[4:6], "big")
    unhashed = int.from_bytes(body[6 + hashed : 8 + hashed], "big")
    return _old(body[:4] + bytes(4) + body[8 + hashed + unhashed :])


@pytest.mark.parametrize("case", MALFORMED)
def test_a_malformed_signature(
    case: str, unsigned: bytes, keys: Callable[[str], Key], store: Store, tmp_path: Path
) -> None:
    change, words = MALFORMED[case]
    parts, key = parts_of(unsigned), keys("rsa2048")
    parts.signature[Sig.RSA] = binary(change(key.detached(parts.header_bytes()), key))
    refusal = _refused(_file(tmp_path, parts.bytes()), store, key)
    assert "small 1:1.0-1: expected one OpenPGP signature in tag 268 (RSA), found " in refusal
    assert words in refusal
