"""Keys, certificates and tokens: what signs, and what is said of the rest. The token is SoftHSM's."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from oic.errors import OicError
from oic.image.signing.keys import (
    PASSPHRASE_FILE,
    certificate_problem,
    read_certificate,
    read_key,
    sign_with,
)
from oic.image.signing.token import opened, parse_uri
from oic.process import child

from .host import output
from .own_keys import make_keys

if TYPE_CHECKING:
    from pathlib import Path

MODULE = "/usr/lib/softhsm/libsofthsm2.so"
PIN = "1234"


def by_token(uri: str, data: bytes) -> bytes:
    """Return a token's signature, made in a process of its own as in a build: a module is set up once."""

    def sign() -> bytes:
        with opened(parse_uri(f"pkcs11:{uri}")) as signer:
            return signer(data)

    return child.start(sign).result()


@pytest.fixture
def token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the key that a token has as well, as a file."""
    (tmp_path / "tokens").mkdir()
    (tmp_path / "softhsm.conf").write_text(f"directories.tokendir = {tmp_path}/tokens\n")
    (tmp_path / "pin").write_text(f"{PIN}\n")
    monkeypatch.setenv("SOFTHSM2_CONF", str(tmp_path / "softhsm.conf"))
    monkeypatch.setenv(PASSPHRASE_FILE, str(tmp_path / "pin"))
    key = make_keys(tmp_path).key
    words = ["--init-token", "--free", "--label", "oic", "--pin", PIN, "--so-pin", "5678"]
    subprocess.run(["softhsm2-util", *words], check=True, capture_output=True)
    words = ["--import", str(key), "--token", "oic", "--label", "db", "--id", "a1", "--pin", PIN]
    subprocess.run(["softhsm2-util", *words], check=True, capture_output=True)
    return key


@pytest.mark.parametrize("uri", ["token=oic;object=db", "token=oic;id=%A1", "token=oic;object=db;id=%a1;type=private"])
def test_a_token_signs_the_same_bytes_as_a_file(uri: str, token: Path) -> None:
    assert by_token(f"{uri}?module-path={MODULE}", b"text") == sign_with(read_key(token), b"text")


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("token=other;object=db", "token other: expected the token of the PKCS #11 URI, found none"),
        ("token=oic;object=other", "expected the private RSA key of the PKCS #11 URI in the token, found none"),
        ("object=db", "expected a PKCS #11 URI of one key, found several"),
    ],
)
@pytest.mark.usefixtures("token")
def test_a_token_that_has_no_such_key_says_so(uri: str, said: str) -> None:
    with pytest.raises(OicError) as raised:
        by_token(f"{uri}?module-path={MODULE}", b"text")
    assert str(raised.value).endswith(said)


def test_a_wrong_pin_is_said(token: Path) -> None:
    (token.parent / "pin").write_text("4321\n")
    with pytest.raises(OicError, match=f"expected the PIN of the token in the file that {PASSPHRASE_FILE} names"):
        by_token(f"token=oic;object=db?module-path={MODULE}", b"text")


@pytest.mark.parametrize("module", ["/etc/passwd", "/nowhere.so"])
@pytest.mark.usefixtures("token")
def test_a_file_that_is_no_module_is_said(module: str) -> None:
    with pytest.raises(OicError, match=f"{module}: expected a PKCS #11 module, found another file or none"):
        by_token(f"token=oic;object=db?module-path={module}", b"text")


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("token=a;object=b?pin-value=1&module-path=/m", "without a PIN, found pin-value"),
        ("token=a;object=b?pin-source=file:/p&module-path=/m", "without a PIN, found pin-source"),
        ("token=a;object=b", r"module-path=/…, the file that reaches the token, found none"),
        ("token=a;object=b?module-path=m", "found none"),
        ("token=a?module-path=/m", "expected a PKCS #11 URI with object= or id= of the private key, found neither"),
        ("token=a;token=b;object=c?module-path=/m", "once each, found token"),
        ("slot-id=1;object=c?module-path=/m", "found slot-id"),
        ("token=a;object=b;type=cert?module-path=/m", "expected a PKCS #11 URI of a private key, found another type"),
        ("token=%ff;object=b?module-path=/m", "expected a PKCS #11 URI in UTF-8, found other bytes"),
    ],
)
def test_a_uri_that_names_no_key_is_refused(uri: str, said: str) -> None:
    with pytest.raises(OicError, match=said):
        parse_uri(f"pkcs11:{uri}")


def test_an_encrypted_key_needs_its_pass_phrase(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = make_keys(tmp_path, passphrase=b"secret words").key
    monkeypatch.delenv(PASSPHRASE_FILE, raising=False)
    with pytest.raises(OicError, match=f"pass phrase in {PASSPHRASE_FILE}, found nothing"):
        read_key(key)
    monkeypatch.setenv(PASSPHRASE_FILE, str(tmp_path / "phrase"))
    with pytest.raises(OicError, match=r"found no file .*phrase$"):
        read_key(key)
    (tmp_path / "phrase").write_text("other words\n")
    with pytest.raises(OicError, match=f"expected the pass phrase of {key} in the file"):
        read_key(key)
    (tmp_path / "phrase").write_text("secret words\n")
    assert read_key(key).key_size == 2048


def test_openssls_older_formats_of_keys_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = make_keys(tmp_path).key
    output("openssl", "rsa", "-traditional", "-in", key, "-out", tmp_path / "old.pem")
    assert read_key(tmp_path / "old.pem").public_key() == read_key(key).public_key()
    words = ["-aes256", "-passout", "pass:secret", "-traditional"]
    output("openssl", "rsa", "-in", key, "-out", tmp_path / "encrypted.pem", *words)
    (tmp_path / "phrase").write_text("secret")
    monkeypatch.setenv(PASSPHRASE_FILE, str(tmp_path / "phrase"))
    assert read_key(tmp_path / "encrypted.pem").public_key() == read_key(key).public_key()


@pytest.mark.parametrize(
    "content", [b"", b"-----BEGIN PRIVATE KEY-----\nMII=\n-----END PRIVATE KEY-----\n", b"\0" * 99]
)
def test_what_is_no_key_or_certificate_is_said_without_quoting_it(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(OicError, match=f"expected a private key as PEM, found something else in {tmp_path}/file$"):
        read_key(tmp_path / "file")
    for form in ("PEM", "DER"):
        with pytest.raises(OicError, match=f"expected a certificate as {form}, found something else in"):
            read_certificate(tmp_path / "file", form)


def test_a_key_that_is_not_rsa_is_refused(tmp_path: Path) -> None:
    keys = make_keys(tmp_path, curve=True)
    with pytest.raises(OicError, match="expected an RSA key, which is what firmware verifies"):
        read_key(keys.key)
    problem = certificate_problem(read_certificate(keys.crt, "PEM"), datetime.now(UTC))
    assert problem == "expected the certificate of an RSA key of 2048 to 4096 bits, found another kind of key"


@pytest.mark.parametrize(
    ("bits", "days", "said"),
    [
        (2048, (-1, 1), ""),
        (1024, (-1, 1), "expected the certificate of an RSA key of 2048 to 4096 bits, found RSA of 1024 bits"),
        (2048, (-9, -1), "expected a certificate that is valid, found one until "),
        (2048, (1, 9), "expected a certificate that is valid, found one from "),
    ],
)
def test_a_certificate_that_firmware_does_not_take_is_said(
    bits: int, days: tuple[int, int], said: str, tmp_path: Path
) -> None:
    certificate = read_certificate(make_keys(tmp_path, bits=bits, days=days).cer, "DER")
    found = certificate_problem(certificate, datetime.now(UTC))
    assert found.startswith(said)
    assert bool(found) == bool(said)
