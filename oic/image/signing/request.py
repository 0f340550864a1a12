"""What is to be signed elsewhere: the unsigned programs, and a request that lists them.

    signing/request.json, BOOTX64.EFI, edge-1.0.0.efi ─ signed there ─> DIR/BOOTX64.EFI, … ─ sign-import ─> signatures/

Of what comes back, the signature alone is kept. It is verified when it is taken, and again by the stage that uses it.
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import msgspec

from oic.errors import OicError, TrustError
from oic.files import atomic_file, read_regular, write_json
from oic.image.boot.pe import signatures_of, without_signatures
from oic.image.signing.signed import common_signer, program_of
from oic.values import Bytes, Digest, Value

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from cryptography.x509 import Certificate

    from oic.image.signing.signed import Program

FILE = "request.json"
FORMAT = 1
_MAX_PROGRAM = 1 << 32
_ENDING = ".p7"


class RequestedFile(Value):
    """A program to sign: its file, its paths on the ESP, its digest, and the one that the signature has to have."""

    file: str
    paths: tuple[str, ...]
    size: Bytes
    sha256: Digest
    authenticode: Digest


class SigningRequest(Value):
    """What is to be signed, and the certificate (its subject and sha256) where the recipe names one."""

    format: int
    image: str
    subject: str
    certificate: Digest
    files: tuple[RequestedFile, ...]


def write_request(place: Path, image: str, certificate: tuple[str, Digest], programs: Collection[Program]) -> Path:
    """Replace the directory `place` by one with the programs and the request; return the request's file."""
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    by_digest: dict[Digest, list[Program]] = {}
    for program in sorted(programs, key=lambda one: one.name):
        by_digest.setdefault(program.digest, []).append(program)
    files: list[RequestedFile] = []
    for digest, (first, *others) in by_digest.items():
        name = PurePosixPath(first.name).name
        with atomic_file(place / name) as temporary:
            temporary.write_bytes(first.content)
        files.append(
            RequestedFile(
                file=name,
                paths=(first.name, *(one.name for one in others)),
                size=Bytes(len(first.content)),
                sha256=Digest(hashlib.sha256(first.content).hexdigest()),
                authenticode=digest,
            )
        )
    subject, sha256 = certificate
    request = SigningRequest(format=FORMAT, image=image, subject=subject, certificate=sha256, files=tuple(files))
    write_json(place / FILE, request)
    return place / FILE


def read_request(place: Path) -> SigningRequest:
    """Read the request of an image; raises OicError where there is none."""
    try:
        return msgspec.json.decode((place / FILE).read_bytes(), type=SigningRequest)
    except FileNotFoundError:
        hint = "a build of a recipe with signing: elsewhere makes one"
        raise OicError("expected a request for signatures, found none", where=str(place / FILE), hint=hint) from None
    except ValueError:
        raise OicError("expected a request for signatures, found a damaged one", where=str(place / FILE)) from None


def take_signatures(place: Path, origin: Path, kept: Path, wanted: Certificate | None) -> Certificate:
    """Take the signatures of the programs that were requested in `place` from the directory `origin`.

    Returns the signer's certificate, which has to be the one that is `wanted`, if one is. Raises OicError, and keeps
    nothing then.
    """
    request = read_request(place)
    signed = {one.file: _signed(origin / one.file, place / one.file) for one in request.files}
    found = common_signer(signed, wanted)
    kept.mkdir(exist_ok=True)
    for one in request.files:
        (signature,) = signatures_of(signed[one.file], one.file)
        with atomic_file(kept / f"{one.authenticode}{_ENDING}") as temporary:
            temporary.write_bytes(signature)
    return found


def kept_signatures(kept: Path, digests: Collection[Digest]) -> Mapping[Digest, bytes]:
    """Return the signatures that were taken, of those that are asked for; remove all others."""
    there = {Digest(path.name.removesuffix(_ENDING)): path for path in kept.glob(f"*{_ENDING}")}
    for digest in there.keys() - {*digests}:
        there[digest].unlink()
    return {digest: there[digest].read_bytes() for digest in digests if digest in there}


def _signed(path: Path, unsigned: Path) -> bytes:
    """Return a program that is the unsigned one but for its signature; raises OicError."""
    try:
        content = read_regular(path, _MAX_PROGRAM)
    except OSError as error:
        raise OicError(
            f"expected the signed program, found no readable file: {error.strerror}", where=str(path)
        ) from None
    plain = program_of(unsigned.name, unsigned.read_bytes()).content
    try:
        same = without_signatures(content, "program") == plain
    except OicError as error:
        raise TrustError(error.message, where=str(path)) from None
    if not same:
        text = f"expected {unsigned.name} of the request, the same but for its signature, found other bytes"
        raise TrustError(text, where=str(path))
    return content
