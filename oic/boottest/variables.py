"""The variables of OVMF with Secure Boot on, and one certificate that it trusts: PK, KEK and db. Pure.

    firmware volume header | variable store header | variable | variable | … | 0xFF to the end

Format: UEFI Platform Initialization specification 1.8, volume 3, section 3.2.1 (the volume); EDK II,
MdeModulePkg/Include/Guid/VariableFormat.h (the store and its authenticated variables).
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from cryptography.x509 import load_der_x509_certificate

from oic.errors import OicError
from oic.image.signing.enrolment import ATTRIBUTES, VARIABLES, signature_list

if TYPE_CHECKING:
    from uuid import UUID

_STORE = bytes.fromhex("782cf3aa7b949a43a1802e144ec37792")  # EFI_AUTHENTICATED_VARIABLE_GUID
_STORE_HEADER = struct.Struct("<16sIBB6x")
_HEADER = struct.Struct("<HBxIQ16sIII16s")
_STARTS, _ADDED = 0x55AA, 0x3F
_FREE = 0xFF
_ALIGNMENT = 4
_TIME = struct.pack("<HBBBBBBIhBB", 2000, 1, 1, *[0] * 8)


def with_certificate(variables: bytes, der: bytes) -> bytes:
    """Return the variables with a certificate enrolled; raises OicError for what is no empty variable store."""
    certificate = load_der_x509_certificate(der)
    begin, end = _store(variables)
    made = b"".join(_variable(name, vendor, signature_list(certificate)) for name, vendor in VARIABLES.items())
    if begin + len(made) > end or variables[begin : begin + len(made)].strip(bytes([_FREE])):
        raise OicError("expected a variable store of OVMF with room for a certificate, found one without")
    return variables[:begin] + made + variables[begin + len(made) :]


def _store(variables: bytes) -> tuple[int, int]:
    """Return where the first variable is to be, and where the store ends."""
    try:
        (length,) = struct.unpack_from("<H", variables, 48)
        kind, size, _, _ = _STORE_HEADER.unpack_from(variables, length)
    except struct.error:
        kind, size = b"", 0
    if variables[40:44] != b"_FVH" or kind != _STORE:
        raise OicError("expected a variable store of OVMF, found something else")
    return length + _STORE_HEADER.size, length + size


def _variable(name: str, vendor: UUID, data: bytes) -> bytes:
    encoded = f"{name}\0".encode("utf-16-le")
    header = _HEADER.pack(_STARTS, _ADDED, ATTRIBUTES, 0, _TIME, 0, len(encoded), len(data), vendor.bytes_le)
    made = header + encoded + data
    return made + bytes([_FREE]) * (-len(made) % _ALIGNMENT)
