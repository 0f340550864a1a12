"""Programs for UEFI with the signature that Secure Boot asks for (UEFI specification 2.10, section 32.2). Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oic.errors import TrustError
from oic.image.boot.pe import authenticode_digest, signatures_of, with_signature, without_signatures
from oic.image.signing.cms import authenticode
from oic.image.signing.reading import read_authenticode

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from oic.image.signing.cms import Signer


def sign_program(image: bytes, certificate: Certificate, sign: Signer, what: str) -> bytes:
    """Return a program with one signature, in place of any that it has; raises OicError when it is no program."""
    plain = without_signatures(image, what)
    return with_signature(plain, authenticode(authenticode_digest(plain, what), certificate, sign), what)


def signer_of(image: bytes, what: str) -> Certificate:
    """Return the certificate of the key that signed a program; raises OicError unless its only signature is good."""
    signatures = signatures_of(image, what)
    if len(signatures) != 1:
        raise TrustError(f"expected one signature, found {len(signatures) or 'none'}", where=what)
    plain = without_signatures(image, what)
    try:
        read = read_authenticode(signatures[0])
    except TrustError as error:
        raise TrustError(error.message, where=what) from None
    if read.image != authenticode_digest(plain, what):
        raise TrustError("expected a signature of this program, found one of another", where=what)
    return read.certificate
