"""sign: the boot manager and the kernel images signed for Secure Boot, and the EFI system partition with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oic.errors import OicError
from oic.handover.disk import BootFiles, SignedFiles
from oic.handover.tree import BootInputs, BuildEnvironment
from oic.stage import Kind
from oic.values import Digest, Value

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from oic.image.boot.esp import EspPartition


REQUEST, KEPT = "signing", "signatures"
"""Directories beside the image: what is to be signed elsewhere, and the signatures that came back."""
KEY = "key"
"""The private key among the stage's `sources`."""


class AwaitsSignaturesError(OicError):
    """The build ends here, until programs have been signed elsewhere."""


class Slice(Value):
    """Who signs: the `certificate` as PEM, whose key is a source, in a token or elsewhere; of `subject` and `sha256`.

    Signed elsewhere, the certificate may be none. `file` is what it is called beside the image.
    """

    esp: EspPartition
    file: str
    certificate: str
    subject: str
    sha256: Digest
    token: str
    elsewhere: bool


def named_certificate(part: Slice) -> Certificate | None:
    """Return the certificate that the recipe names."""
    from cryptography.x509 import load_pem_x509_certificate  # noqa: PLC0415 - slow to import, and few images are signed

    return load_pem_x509_certificate(part.certificate.encode("ascii")) if part.certificate else None


KIND: Kind[Slice] = Kind(
    name="sign",
    version=1,
    doc="sign boot manager and kernel images for Secure Boot, and make the EFI system partition of them",
    reads=(BootFiles, BootInputs, BuildEnvironment),
    writes=(SignedFiles,),
)
