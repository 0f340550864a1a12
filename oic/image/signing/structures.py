"""The ASN.1 of a signature: CMS signed data (RFC 5652, as PKCS #7 1.5 writes it) and Authenticode's content. Pure.

The classes are read at run time, so their annotations must not be names that only type checkers know.

Format: RFC 5652 sections 5.1 to 5.4; Microsoft "Windows Authenticode Portable Executable Signature Format".
"""

from typing import Annotated

from cryptography.hazmat import asn1
from cryptography.x509 import Certificate, ObjectIdentifier

DATA = ObjectIdentifier("1.2.840.113549.1.7.1")
SIGNED_DATA = ObjectIdentifier("1.2.840.113549.1.7.2")
CONTENT_TYPE = ObjectIdentifier("1.2.840.113549.1.9.3")
MESSAGE_DIGEST = ObjectIdentifier("1.2.840.113549.1.9.4")
SHA256 = ObjectIdentifier("2.16.840.1.101.3.4.2.1")
RSA = ObjectIdentifier("1.2.840.113549.1.1.1")
SHA256_RSA = ObjectIdentifier("1.2.840.113549.1.1.11")
INDIRECT_DATA = ObjectIdentifier("1.3.6.1.4.1.311.2.1.4")
PE_IMAGE_DATA = ObjectIdentifier("1.3.6.1.4.1.311.2.1.15")
IMAGE_DATA = bytes.fromhex("3009 0301 00 a004 a202 8000")
"""SpcPeImageData without flags, and with an empty file name."""


@asn1.sequence
class Algorithm:
    """AlgorithmIdentifier."""

    algorithm: ObjectIdentifier
    parameters: asn1.Null | None


@asn1.sequence
class Attribute:
    """Attribute."""

    type: ObjectIdentifier
    values: asn1.SetOf[asn1.TLV]


@asn1.sequence
class DigestInfo:
    """A digest and its algorithm."""

    algorithm: Algorithm
    digest: bytes


@asn1.sequence
class ImageData:
    """SpcAttributeTypeAndOptionalValue: that it is a program."""

    type: ObjectIdentifier
    value: asn1.TLV


@asn1.sequence
class IndirectData:
    """SpcIndirectDataContent: the digest of a program."""

    data: ImageData
    message_digest: DigestInfo


@asn1.sequence
class Content:
    """EncapsulatedContentInfo, with the content itself and not as octets."""

    type: ObjectIdentifier
    content: Annotated[asn1.TLV, asn1.Explicit(0)]


@asn1.sequence
class SignerId:
    """IssuerAndSerialNumber."""

    issuer: asn1.TLV
    serial: int


@asn1.sequence
class SignerInfo:
    """SignerInfo, without and with attributes."""

    version: int
    signer: SignerId
    digest_algorithm: Algorithm
    signed: Annotated[asn1.SetOf[Attribute] | None, asn1.Implicit(0)]
    signature_algorithm: Algorithm
    signature: bytes
    unsigned: Annotated[asn1.SetOf[Attribute] | None, asn1.Implicit(1)]


@asn1.sequence
class SignedData:
    """SignedData with its content."""

    version: int
    digest_algorithms: asn1.SetOf[Algorithm]
    content: Content
    certificates: Annotated[asn1.SetOf[Certificate], asn1.Implicit(0)]
    signers: asn1.SetOf[SignerInfo]


@asn1.sequence
class ContentInfo:
    """ContentInfo of signed data."""

    type: ObjectIdentifier
    content: Annotated[SignedData, asn1.Explicit(0)]


@asn1.sequence
class Detached:
    """The content of a signature that is kept apart from what it signs."""

    type: ObjectIdentifier


@asn1.sequence
class DetachedData:
    """SignedData without its content."""

    version: int
    digest_algorithms: asn1.SetOf[Algorithm]
    content: Detached
    certificates: Annotated[asn1.SetOf[Certificate], asn1.Implicit(0)]
    signers: asn1.SetOf[SignerInfo]
