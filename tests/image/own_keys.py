"""Keys and certificates of a test's own."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnKeys:
    """The three files of a recipe."""

    key: Path
    crt: Path
    cer: Path

    @classmethod
    def of(cls, place: Path, name: str) -> OwnKeys:
        """Return the files of a name."""
        return cls(key=place / f"{name}.key", crt=place / f"{name}.crt", cer=place / f"{name}.cer")

    @property
    def recipe(self) -> dict[str, str]:
        """Return the recipe's fields."""
        return {
            "secureBootDBKey": str(self.key),
            "secureBootDBCrt": str(self.crt),
            "secureBootDBCer": str(self.cer),
        }


def make_keys(
    place: Path,
    name: str = "db",
    *,
    bits: int = 2048,
    curve: bool = False,
    days: tuple[int, int] = (-1, 30),
    passphrase: bytes = b"",
) -> OwnKeys:
    """Write key and certificate, which is valid from and until so many days from now."""
    key = ec.generate_private_key(ec.SECP256R1()) if curve else rsa.generate_private_key(65537, bits)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, f"{name} of a test")])
    now = dt.datetime.now(dt.UTC)
    begin, end = (now + dt.timedelta(days=one) for one in days)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    encryption = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    found = OwnKeys.of(place, name)
    found.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))
    found.key.chmod(0o600)
    found.crt.write_bytes(certificate.public_bytes(Encoding.PEM))
    found.cer.write_bytes(certificate.public_bytes(Encoding.DER))
    return found
