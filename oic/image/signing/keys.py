"""The key and the certificate that sign, as files of this host.

* UEFI firmware verifies RSA with sha256. Keys from 2048 to 4096 bits are accepted, as all firmware takes these.
* The pass phrase of an encrypted key, or the PIN of a token, is read from the file that `PASSPHRASE_FILE` names in the
  environment: it is in no recipe, argument or variable.
* Messages never quote what is in the files.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import Certificate, load_der_x509_certificate, load_pem_x509_certificate

from oic.errors import OicError, TrustError
from oic.files import read_regular
from oic.image.signing.reading import without_odd_certificates

if TYPE_CHECKING:
    from datetime import datetime

PASSPHRASE_FILE = "OIC_SIGNING_PASSPHRASE_FILE"  # noqa: S105 - the name of a variable
BITS = (2048, 4096)
_MAX_FILE = 1 << 16


class NotHereError(OicError):
    """A file or a pass phrase is not on this machine; it says nothing about what is in it."""


def read_certificate(path: Path, form: str) -> Certificate:
    """Read a certificate in the `form` ``PEM`` or ``DER``; raises OicError."""
    data = _read(path, "a certificate")
    try:
        with without_odd_certificates():
            return load_pem_x509_certificate(data) if form == "PEM" else load_der_x509_certificate(data)
    except TrustError as error:
        raise OicError(f"{error.message}: {path}") from None
    except ValueError:
        raise OicError(f"expected a certificate as {form}, found something else in {path}") from None


def certificate_problem(certificate: Certificate, now: datetime) -> str:
    """Return what keeps firmware from verifying with a certificate; empty when nothing does."""
    try:
        key = certificate.public_key()
    except (UnsupportedAlgorithm, ValueError):
        key = None
    if not isinstance(key, RSAPublicKey) or not BITS[0] <= key.key_size <= BITS[1]:
        found = f"RSA of {key.key_size} bits" if isinstance(key, RSAPublicKey) else "another kind of key"
        return f"expected the certificate of an RSA key of {BITS[0]} to {BITS[1]} bits, found {found}"
    if now < certificate.not_valid_before_utc:
        return f"expected a certificate that is valid, found one from {certificate.not_valid_before_utc:%Y-%m-%d} on"
    if now > certificate.not_valid_after_utc:
        return f"expected a certificate that is valid, found one until {certificate.not_valid_after_utc:%Y-%m-%d}"
    return ""


def read_key(path: Path, *, is_to_sign: bool = True) -> RSAPrivateKey:
    """Read a private key, with the pass phrase if it is encrypted; raises OicError.

    The numbers of one that `is_to_sign` are checked, which takes most of a second for a large key.
    """
    data = _read(path, "a private key")
    is_encrypted = b"ENCRYPTED" in data
    try:
        word = passphrase() if is_encrypted else None
        key = load_pem_private_key(data, word, unsafe_skip_rsa_key_validation=not is_to_sign)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        if is_encrypted:
            said = f"expected the pass phrase of {path} in the file that {PASSPHRASE_FILE} names"
            raise OicError(f"{said}, found another") from None
        raise OicError(f"expected a private key as PEM, found something else in {path}") from None
    if not isinstance(key, RSAPrivateKey):
        raise OicError(f"expected an RSA key, which is what firmware verifies, found another kind in {path}")
    return key


def passphrase() -> bytes:
    """Return the first line of the file that the environment names; raises OicError."""
    named = os.environ.get(PASSPHRASE_FILE, "")
    if not named:
        raise NotHereError(f"expected the name of a file with the pass phrase in {PASSPHRASE_FILE}, found nothing")
    return _read(Path(named), f"the pass phrase that {PASSPHRASE_FILE} names").partition(b"\n")[0].rstrip(b"\r")


def sign_with(key: RSAPrivateKey, data: bytes) -> bytes:
    """Return the signature of some bytes (PKCS #1 1.5, sha256)."""
    return key.sign(data, PKCS1v15(), SHA256())


def _read(path: Path, what: str) -> bytes:
    try:
        return read_regular(path, _MAX_FILE)
    except FileNotFoundError:
        raise NotHereError(f"expected {what}, found no file {path}") from None
    except OSError as error:
        raise OicError(f"expected {what}, found no readable file at {path}: {error.strerror}") from None
