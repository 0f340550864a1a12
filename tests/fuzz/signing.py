"""Programs that somebody signed elsewhere."""

from __future__ import annotations

import struct
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from image.own_keys import make_keys

from fuzz.formats import stub
from fuzz.harness import Harness
from oic.image.boot.pe import signatures_of, with_signature, without_signatures
from oic.image.signing.authenticode import sign_program, signer_of
from oic.image.signing.keys import read_certificate, read_key, sign_with
from oic.image.signing.reading import read_authenticode

if TYPE_CHECKING:
    from collections.abc import Sequence


def _program(data: bytes) -> None:
    plain = without_signatures(data, "program")
    assert without_signatures(plain, "program") == plain
    for signature in signatures_of(data, "program"):
        again = with_signature(plain, signature, "program")
        assert without_signatures(again, "program") == plain
    assert signer_of(data, "program").serial_number


def _signed() -> Sequence[bytes]:
    with tempfile.TemporaryDirectory() as place:
        keys = make_keys(Path(place))
        certificate, sign = read_certificate(keys.crt, "PEM"), partial(sign_with, read_key(keys.key))
        image = bytearray(stub()[0])
        struct.pack_into("<I", image, 64 + 24 + 108, 16)  # as many data directories as others have
        return [sign_program(bytes(image), certificate, sign, "program")]


def _signature() -> Sequence[bytes]:
    return [signature for image in _signed() for signature in signatures_of(image, "program")]


HARNESSES = (
    Harness(name="signed-program", run=_program, seeds=_signed),
    Harness(name="program-signature", run=read_authenticode, seeds=_signature),
)
