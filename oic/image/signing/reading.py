"""A signature of a program that was made elsewhere, read and verified. Pure.

What is read is strict DER; whatever else a file holds is a TrustError.
"""

from __future__ import annotations

import contextlib
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat import asn1
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.utils import CryptographyDeprecationWarning

from oic.errors import TrustError
from oic.image.boot.pe import ENTRY_ALIGNMENT
from oic.image.signing.cms import signed_attributes
from oic.image.signing.structures import (
    CONTENT_TYPE,
    INDIRECT_DATA,
    MESSAGE_DIGEST,
    RSA,
    SHA256,
    SHA256_RSA,
    SIGNED_DATA,
    Attribute,
    Content,
    ContentInfo,
    IndirectData,
    SignerInfo,
)
from oic.values import Digest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cryptography.x509 import Certificate

Parsed = TypeVar("Parsed")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadSignature:
    """A signature that was verified with the key of its own certificate: what it vouches for, and whose it is."""

    image: Digest
    certificate: Certificate


def read_authenticode(signature: bytes) -> ReadSignature:
    """Read a signature and verify it with the key of its own certificate; raises TrustError.

    Whether that is the right certificate is for the caller to tell.
    """
    with without_odd_certificates():
        signed = _parsed(ContentInfo, _without_padding(signature))
        try:
            return _verified(signed)
        except (ValueError, UnsupportedAlgorithm):  # the library reads the fields of a certificate when it is asked
            raise TrustError("expected a certificate in the signature, found something else") from None


@contextlib.contextmanager
def without_odd_certificates() -> Iterator[None]:
    """Raise TrustError where the library only warns of a certificate that breaks RFC 5280."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", CryptographyDeprecationWarning)
        try:
            yield
        except CryptographyDeprecationWarning:
            raise TrustError("expected a certificate as RFC 5280 has it, found one that breaks its rules") from None


def _verified(signed: ContentInfo) -> ReadSignature:
    if signed.type != SIGNED_DATA or signed.content.content.type != INDIRECT_DATA:
        raise TrustError("expected the Authenticode signature of a program, found another kind of signed data")
    content, signers = signed.content.content, signed.content.signers.as_list()
    data = _parsed(IndirectData, asn1.encode_der(content.content))
    attributes = signers[0].signed if len(signers) == 1 else None
    if attributes is None or data.message_digest.algorithm.algorithm != SHA256:
        raise TrustError("expected a signature by one signer, with sha256, found another")
    (signer,) = signers
    digests = [one.algorithm for one in signed.content.digest_algorithms.as_list()]
    if (signed.content.version, signer.version, digests) != (1, 1, [SHA256]):
        raise TrustError("expected PKCS #7 of version 1 with sha256, found another")
    algorithms = (signer.digest_algorithm.algorithm, signer.signature_algorithm.algorithm)
    if algorithms not in ((SHA256, RSA), (SHA256, SHA256_RSA)):
        raise TrustError("expected a signature by RSA with sha256, found another algorithm")
    certificate = _certificate_of(signer, signed.content.certificates.as_list())
    _check_attributes(attributes, content)
    try:
        key = certificate.public_key()
        if not isinstance(key, RSAPublicKey):
            raise TrustError("expected the certificate of an RSA key in the signature, found another kind")
        key.verify(signer.signature, asn1.encode_der(attributes), PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        raise TrustError("expected a signature by the certificate in it, found one that does not verify") from None
    return ReadSignature(image=Digest(data.message_digest.digest.hex()), certificate=certificate)


def _without_padding(data: bytes) -> bytes:
    """Return DER without the zeros that fill the last entry of a program's table."""
    width = data[1] & 0x7F if len(data) > 1 and data[1] & 0x80 else 0  # X.690 section 8.1.3.5
    end = 2 + width + int.from_bytes(data[2 : 2 + width], "big") if width else len(data)
    return data if data[end:].strip(b"\0") or len(data) - end >= ENTRY_ALIGNMENT else data[:end]


def _parsed(kind: type[Parsed], data: bytes) -> Parsed:
    try:
        return asn1.decode_der(kind, data)
    except (ValueError, UnsupportedAlgorithm):
        raise TrustError("expected a PKCS #7 signature in DER, found something else") from None


def _check_attributes(attributes: asn1.SetOf[Attribute], content: Content) -> None:
    """Raise TrustError unless the signed attributes have type and digest of the content, once each."""
    found = sorted(asn1.encode_der(one) for one in attributes.as_list() if one.type in (CONTENT_TYPE, MESSAGE_DIGEST))
    if found != sorted(asn1.encode_der(one) for one in signed_attributes(content).as_list()):
        raise TrustError("expected a signature of the content beside it, found one of another")


def _certificate_of(signer: SignerInfo, certificates: list[Certificate]) -> Certificate:
    wanted = (asn1.encode_der(signer.signer.issuer), signer.signer.serial)
    for certificate in certificates:
        if (certificate.issuer.public_bytes(), certificate.serial_number) == wanted:
            return certificate
    raise TrustError("expected the signer's certificate in the signature, found none")
