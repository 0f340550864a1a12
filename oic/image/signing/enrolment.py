"""The files with which systemd-boot enrols a certificate in firmware that is in setup mode (systemd-boot(7)). Pure.

    EFI_VARIABLE_AUTHENTICATION_2 (time, signature) | EFI_SIGNATURE_LIST with the certificate

The certificate becomes platform key (PK), key exchange key (KEK) and signature database (db). Firmware in setup mode
takes PK only with a signature by itself, so all three are signed by the one key.

Format: UEFI specification 2.10, sections 8.2.2, 32.4.1 and 32.6.
"""

from __future__ import annotations

import struct
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

from cryptography.hazmat.primitives.serialization import Encoding

from oic.image.signing.cms import detached

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from oic.image.signing.cms import Signer

_GLOBAL = UUID("8be4df61-93ca-11d2-aa0d-00e098032b8c")  # EFI_GLOBAL_VARIABLE
_DATABASE = UUID("d719b2cb-3d3a-4596-a3bc-dad00e67656f")  # EFI_IMAGE_SECURITY_DATABASE
_X509 = UUID("a5c059a1-94e4-4aa7-87b5-ab155c2bf072")  # EFI_CERT_X509
_PKCS7 = UUID("4aafd29d-68df-49ee-8aa9-347d375665a7")  # EFI_CERT_TYPE_PKCS7
_OWNER = UUID("9f1c3a50-6f0e-5d5c-8a0b-3b1f4a1d7c11")  # the namespace of SignatureOwner
# non-volatile, boot service access, run time access, time-based authenticated write access
ATTRIBUTES = 0x27
_CERT_GUID, _REVISION = 0x0EF1, 0x0200  # WIN_CERT_TYPE_EFI_GUID
VARIABLES = {"PK": _GLOBAL, "KEK": _GLOBAL, "db": _DATABASE}


def signature_list(certificate: Certificate) -> bytes:
    """Return the EFI_SIGNATURE_LIST of one certificate; its owner is derived from it."""
    der = certificate.public_bytes(Encoding.DER)
    entry = uuid5(_OWNER, der.hex()).bytes_le + der
    return _X509.bytes_le + struct.pack("<III", 28 + len(entry), 0, len(entry)) + entry


def enrolment_files(certificate: Certificate, sign: Signer, epoch: int) -> dict[str, bytes]:
    """Return the files by their names, ``PK.auth`` and its like; `epoch` is the time that they say."""
    when = datetime.fromtimestamp(epoch, UTC)
    time = struct.pack("<HBBBBBBIhBB", when.year, when.month, when.day, when.hour, when.minute, when.second, *[0] * 5)
    payload = signature_list(certificate)
    files = {}
    for name, vendor in VARIABLES.items():
        signed = name.encode("utf-16-le") + vendor.bytes_le + struct.pack("<I", ATTRIBUTES) + time + payload
        signature = detached(signed, certificate, sign)
        header = struct.pack("<IHH", 24 + len(signature), _REVISION, _CERT_GUID) + _PKCS7.bytes_le
        files[f"{name}.auth"] = time + header + signature + payload
    return files
