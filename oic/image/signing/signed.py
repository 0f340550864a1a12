"""The programs of an image and their signatures, by a key that is here or elsewhere. Pure.

Two programs with the same content, such as the boot manager under its two names, have one signature.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509 import Certificate, load_pem_x509_certificate

from oic.errors import TrustError
from oic.image.boot.pe import authenticode_digest, with_signature, without_signatures
from oic.image.signing.authenticode import signer_of
from oic.image.signing.cms import authenticode
from oic.image.signing.enrolment import enrolment_files

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from oic.image.signing.cms import Signer
    from oic.values import Digest

AUTO = "loader/keys/auto"
"""Where systemd-boot looks for what it enrols by itself, where that is safe (loader.conf(5), secure-boot-enroll)."""
CERTIFICATE = "loader/keys/db.cer"
"""Where the certificate is on the ESP, for who enrols it by hand."""
_PROGRAM = ".efi"


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A program by its path on the ESP: its content without signatures, and the digest that one vouches for."""

    name: str
    content: bytes = field(repr=False)
    digest: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Signatures:
    """Signatures by the digests that they vouch for, and the files that enrol the certificate."""

    of: Mapping[Digest, bytes]
    enrolment: Mapping[str, bytes] = field(default_factory=dict)


def is_program(name: str) -> bool:
    """Tell whether a file of the ESP is a program, by its path."""
    return name.lower().endswith(_PROGRAM)


def program_of(name: str, content: bytes) -> Program:
    """Return a program as it is to be signed; raises OicError."""
    plain = without_signatures(content, name)
    return Program(name=name, content=plain, digest=authenticode_digest(plain, name))


def sign(digests: Collection[Digest], certificate: str, signer: Signer, epoch: int) -> Signatures:
    """Sign programs with these digests, and what enrols the certificate, which is given as PEM."""
    found = load_pem_x509_certificate(certificate.encode("ascii"))
    checked = partial(_checked, found, signer)
    return Signatures(
        of={digest: authenticode(digest, found, checked) for digest in sorted(digests)},
        enrolment=enrolment_files(found, checked, epoch),
    )


def _checked(certificate: Certificate, signer: Signer, data: bytes) -> bytes:
    """Return a signature after it was verified: a token may have another key than the certificate's."""
    signature, key = signer(data), certificate.public_key()
    try:
        assert isinstance(key, RSAPublicKey), "checked when the recipe was read"
        key.verify(signature, data, PKCS1v15(), SHA256())
    except InvalidSignature:
        said = f"expected the private key of the certificate {certificate.subject.rfc4514_string()}, found another key"
        raise TrustError(said) from None
    return signature


def joined(programs: Collection[Program], signatures: Mapping[Digest, bytes]) -> dict[str, bytes]:
    """Return the signed programs by their paths."""
    return {one.name: with_signature(one.content, signatures[one.digest], one.name) for one in programs}


def common_signer(programs: Mapping[str, bytes], wanted: Certificate | None) -> Certificate:
    """Return the certificate whose key has signed all of these programs; raises TrustError.

    It has to be the one that is `wanted`, if one is.
    """
    found = wanted
    for name, content in sorted(programs.items()):
        signer = signer_of(content, name)
        if found is None:
            found = signer
        if signer != found:
            of = f"expected a signature by {found.subject.rfc4514_string()}"
            raise TrustError(f"{of}, found one by {signer.subject.rfc4514_string()}", where=name)
    if found is None:
        raise TrustError("expected programs that are signed, found none")
    return found
