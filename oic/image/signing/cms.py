"""Signatures by a key: of a program, and of a variable of the firmware. Pure.

* The signature covers content type and digest of the content, and no time: equal inputs give equal bytes.
* The digest is sha256 and the signature RSA by PKCS #1 1.5, which is deterministic and what UEFI firmware verifies.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING

from cryptography.hazmat import asn1

from oic.image.signing.structures import (
    CONTENT_TYPE,
    DATA,
    IMAGE_DATA,
    INDIRECT_DATA,
    MESSAGE_DIGEST,
    PE_IMAGE_DATA,
    RSA,
    SHA256,
    SIGNED_DATA,
    Algorithm,
    Attribute,
    Content,
    ContentInfo,
    Detached,
    DetachedData,
    DigestInfo,
    ImageData,
    IndirectData,
    SignedData,
    SignerId,
    SignerInfo,
)

if TYPE_CHECKING:
    from cryptography.x509 import Certificate, ObjectIdentifier

    from oic.values import Digest

Signer = Callable[[bytes], bytes]
"""Returns the RSA signature (PKCS #1 1.5, sha256) of some bytes."""


def authenticode(image: Digest, certificate: Certificate, sign: Signer) -> bytes:
    """Return the signature of a program with this Authenticode digest."""
    data = IndirectData(
        data=ImageData(type=PE_IMAGE_DATA, value=_tlv(IMAGE_DATA)),
        message_digest=DigestInfo(algorithm=_algorithm(SHA256), digest=bytes.fromhex(image)),
    )
    content = Content(type=INDIRECT_DATA, content=_tlv(asn1.encode_der(data)))
    attributes = signed_attributes(content)
    signature = sign(asn1.encode_der(attributes))
    signed = SignedData(
        version=1,
        digest_algorithms=asn1.SetOf([_algorithm(SHA256)]),
        content=content,
        certificates=asn1.SetOf([certificate]),
        signers=asn1.SetOf([_signer(certificate, attributes, signature)]),
    )
    return asn1.encode_der(ContentInfo(type=SIGNED_DATA, content=signed))


def detached(content: bytes, certificate: Certificate, sign: Signer) -> bytes:
    """Return signed data without the content, and without attributes, as firmware wants it for its variables.

    UEFI specification 2.10, section 8.2.2: SignedData itself, not in a ContentInfo.
    """
    signed = DetachedData(
        version=1,
        digest_algorithms=asn1.SetOf([_algorithm(SHA256)]),
        content=Detached(type=DATA),
        certificates=asn1.SetOf([certificate]),
        signers=asn1.SetOf([_signer(certificate, None, sign(content))]),
    )
    return asn1.encode_der(signed)


def signed_attributes(content: Content) -> asn1.SetOf[Attribute]:
    """Return the signed attributes: RFC 5652 section 11 wants these two, and the digest is without tag and length."""
    digest = hashlib.sha256(content.content.data).digest()
    values = ((CONTENT_TYPE, asn1.encode_der(content.type)), (MESSAGE_DIGEST, asn1.encode_der(digest)))
    return asn1.SetOf([Attribute(type=name, values=asn1.SetOf([_tlv(value)])) for name, value in values])


def _tlv(data: bytes) -> asn1.TLV:
    return asn1.decode_der(asn1.TLV, data)


def _algorithm(name: ObjectIdentifier) -> Algorithm:
    return Algorithm(algorithm=name, parameters=asn1.Null())


def _signer(certificate: Certificate, attributes: asn1.SetOf[Attribute] | None, signature: bytes) -> SignerInfo:
    return SignerInfo(
        version=1,
        signer=SignerId(issuer=_tlv(certificate.issuer.public_bytes()), serial=certificate.serial_number),
        digest_algorithm=_algorithm(SHA256),
        signed=attributes,
        signature_algorithm=_algorithm(RSA),
        signature=signature,
        unsigned=None,
    )
