"""Signed programs held against sbverify and sbsign, which this project did not write."""

from __future__ import annotations

import struct
from functools import partial
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oic.errors import OicError, TrustError
from oic.image.boot.pe import (
    authenticode_digest,
    headers_of,
    signatures_of,
    with_signature,
    without_signatures,
)
from oic.image.boot.uki import assemble_uki
from oic.image.signing.authenticode import sign_program, signer_of
from oic.image.signing.cms import authenticode
from oic.image.signing.keys import read_certificate, read_key, sign_with
from oic.image.signing.reading import read_authenticode
from oic.values import Digest

from .host import output
from .own_keys import OwnKeys, make_keys

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> OwnKeys:
    return make_keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> OwnKeys:
    return make_keys(tmp_path_factory.mktemp("others"), "other")


@pytest.fixture(scope="module")
def uki(linked: Path) -> bytes:
    return assemble_uki(linked.read_bytes(), [(".linux", bytes(range(256)) * 100), (".cmdline", b"quiet")])


@pytest.fixture(scope="module")
def signed(uki: bytes, keys: OwnKeys) -> bytes:
    return sign(uki, keys)


def sign(image: bytes, keys: OwnKeys) -> bytes:
    certificate = read_certificate(keys.crt, "PEM")
    return sign_program(image, certificate, partial(sign_with, read_key(keys.key)), "program")


def is_verified(image: bytes, keys: OwnKeys, tmp_path: Path) -> bool:
    (tmp_path / "signed.efi").write_bytes(image)
    try:
        output("sbverify", "--cert", keys.crt, tmp_path / "signed.efi")
    except AssertionError:
        return False
    return True


def by_sbsign(image: bytes, keys: OwnKeys, tmp_path: Path) -> bytes:
    (tmp_path / "plain.efi").write_bytes(image)
    output("sbsign", "--key", keys.key, "--cert", keys.crt, "--output", tmp_path / "by.efi", tmp_path / "plain.efi")
    return (tmp_path / "by.efi").read_bytes()


def test_sbverify_takes_what_was_signed_and_by_no_other_key(
    linked: Path, uki: bytes, keys: OwnKeys, others: OwnKeys, tmp_path: Path
) -> None:
    for image in (linked.read_bytes(), linked.read_bytes() + b"odd", uki):
        assert is_verified(sign(image, keys), keys, tmp_path)
        assert not is_verified(sign(image, keys), others, tmp_path)


@pytest.mark.mirror
def test_sbverify_takes_the_boot_manager_of_systemd(systemds: Path, keys: OwnKeys, tmp_path: Path) -> None:
    for program in (systemds, systemds.with_name("systemd-bootx64.efi")):
        image = program.read_bytes()
        assert is_verified(sign(image, keys), keys, tmp_path)
        assert without_signatures(by_sbsign(image, keys, tmp_path), "x") == without_signatures(image, "x")


def test_signing_twice_gives_the_same_bytes(uki: bytes, signed: bytes, keys: OwnKeys) -> None:
    assert sign(uki, keys) == signed


def test_sbsign_signs_the_same_digest(uki: bytes, keys: OwnKeys, tmp_path: Path) -> None:
    (signature,) = signatures_of(by_sbsign(uki, keys, tmp_path), "program")
    read = read_authenticode(signature)
    assert read.image == authenticode_digest(without_signatures(uki, "program"), "program")
    assert read.certificate == read_certificate(keys.cer, "DER")


def test_what_sbsign_signed_is_the_same_but_for_the_signature(
    uki: bytes, signed: bytes, keys: OwnKeys, tmp_path: Path
) -> None:
    elsewhere = by_sbsign(uki, keys, tmp_path)
    assert elsewhere != signed
    assert without_signatures(elsewhere, "x") == without_signatures(signed, "x") == without_signatures(uki, "x")
    (signature,) = signatures_of(elsewhere, "x")
    joined = with_signature(without_signatures(uki, "x"), signature, "x")
    assert is_verified(joined, keys, tmp_path)
    assert signer_of(joined, "x") == read_certificate(keys.crt, "PEM")


def test_a_new_signature_replaces_the_old_one(
    signed: bytes, uki: bytes, keys: OwnKeys, others: OwnKeys, tmp_path: Path
) -> None:
    again = sign(signed, others)
    assert again == sign(uki, others)
    assert is_verified(again, others, tmp_path)
    assert not is_verified(again, keys, tmp_path)


def test_a_changed_byte_is_noticed(signed: bytes, uki: bytes, keys: OwnKeys) -> None:
    """Or it is in the checksum, which no signature covers."""
    certificate = read_certificate(keys.crt, "PEM")
    checksum = headers_of(signed, "program").checksum
    for at in (*range(1024), *range(1024, len(uki), 211), *range(len(uki) - 8, len(signed))):
        changed = bytearray(signed)
        changed[at] ^= 1 << at % 8
        try:
            if signer_of(bytes(changed), "program") != certificate:
                continue
        except OicError:
            continue
        assert at in range(checksum, checksum + 4)
        assert without_signatures(bytes(changed), "program") == without_signatures(signed, "program")


@pytest.mark.parametrize("section", [".linux", ".cmdline"])
def test_sbverify_notices_a_changed_section_as_well(section: str, signed: bytes, keys: OwnKeys, tmp_path: Path) -> None:
    at = signed.index(b"quiet" if section == ".cmdline" else bytes(range(256)))
    changed = signed[:at] + b"\x55" + signed[at + 1 :]
    assert is_verified(signed, keys, tmp_path)
    assert not is_verified(changed, keys, tmp_path)
    with pytest.raises(TrustError, match="expected a signature of this program, found one of another"):
        signer_of(changed, section)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_damaged_image_is_refused_in_words(signed: bytes, data: st.DataObject) -> None:
    cut = signed[: data.draw(st.integers(0, len(signed) - 1))]
    with pytest.raises(OicError):
        signer_of(cut, "program")


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_damaged_signature_is_refused_in_words(signed: bytes, data: st.DataObject) -> None:
    changed = bytearray(signatures_of(signed, "program")[0])
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(changed) - 1))
        changed[at] = data.draw(st.integers(0, 255))
    try:
        found = read_authenticode(bytes(changed))
    except TrustError:
        return
    good = read_authenticode(signatures_of(signed, "program")[0])
    assert found == good or found.certificate != good.certificate  # whose own signature is not verified


def test_a_signature_of_another_program_is_refused(uki: bytes, keys: OwnKeys) -> None:
    certificate, key = read_certificate(keys.crt, "PEM"), read_key(keys.key)
    signature = authenticode(Digest("0" * 64), certificate, partial(sign_with, key))
    image = with_signature(without_signatures(uki, "x"), signature, "x")
    with pytest.raises(TrustError, match="expected a signature of this program, found one of another"):
        signer_of(image, "x")


def test_a_signature_by_a_key_that_is_not_the_certificates_is_refused(
    uki: bytes, keys: OwnKeys, others: OwnKeys
) -> None:
    certificate = read_certificate(keys.crt, "PEM")
    image = sign_program(uki, certificate, partial(sign_with, read_key(others.key)), "x")
    with pytest.raises(TrustError, match="expected a signature by the certificate in it, found one that does not"):
        signer_of(image, "x")


def test_an_unsigned_program_has_no_signer(uki: bytes) -> None:
    with pytest.raises(TrustError, match="expected one signature, found none"):
        signer_of(uki, "x")


def test_sections_that_overlap_are_refused(uki: bytes, keys: OwnKeys) -> None:
    headers = headers_of(uki, "x")
    image = bytearray(uki)
    at = headers.table_end - 40 + 20
    (place,) = struct.unpack_from("<I", image, at)
    struct.pack_into("<I", image, at, place - 512)
    with pytest.raises(OicError, match="one after another, found two that overlap"):
        sign(bytes(image), keys)


@pytest.mark.mirror
def test_a_symbol_table_between_sections_is_hashed_as_sbverify_does(
    systemds: Path, keys: OwnKeys, tmp_path: Path
) -> None:
    image = assemble_uki(systemds.read_bytes(), [(".linux", bytes(range(256)) * 100), (".cmdline", b"quiet")])
    signed = sign(image, keys)
    assert is_verified(signed, keys, tmp_path)
    (signature,) = signatures_of(by_sbsign(image, keys, tmp_path), "x")
    assert read_authenticode(signature).image == authenticode_digest(without_signatures(image, "x"), "x")
    for text in (b"quiet", bytes(range(256))):
        at = signed.index(text)
        assert not is_verified(signed[:at] + b"\x55" + signed[at + 1 :], keys, tmp_path)
