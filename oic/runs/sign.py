"""Runs the stage `oic.stages.sign`.

* The private key is read by one process, which starts here, signs and ends. It writes nothing, and has no network.
* What a key is asked to sign elsewhere is laid beside the image, with a request; the build ends, and the next one goes
  on from the signatures that ``sign-import`` has taken.
* Every signature is verified with the certificate before it is used, whoever made it.
"""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.serialization import Encoding

from oic.chroot import layers, namespace, toolbox
from oic.files import atomic_file, digest_of_sparse
from oic.handover.disk import BootFiles, PartitionImage, SignedFiles, SignedProgram
from oic.handover.tree import Artefact, BootInputs, BuildEnvironment
from oic.image.boot.esp_image import make_esp
from oic.image.signing import signed
from oic.image.signing.keys import read_key, sign_with
from oic.image.signing.request import kept_signatures, write_request
from oic.image.signing.signed import Signatures, sign
from oic.image.signing.token import opened, parse_uri
from oic.image.tree.esp import merge_files
from oic.process import child
from oic.process.run import program_timeout
from oic.stages.sign import KEPT, KEY, REQUEST, AwaitsSignaturesError, Slice, named_certificate
from oic.values import Bytes, Digest

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from cryptography.x509 import Certificate

    from oic.image.boot.esp import EspPartition
    from oic.image.signing.signed import Program
    from oic.stage import Stage


def run(stage: Stage[Slice]) -> str:
    """Sign the programs, and make the EFI system partition of what is signed; raises AwaitsSignaturesError."""
    part, boot = stage.slice, stage.read(BootFiles)
    files = {entry.name: stage.cache / entry.file.path for entry in boot.to_sign or ()}
    programs = [signed.program_of(name, path.read_bytes()) for name, path in files.items() if signed.is_program(name)]
    made = _signed_elsewhere(stage, programs) if part.elsewhere else _signed_here(stage, programs)
    contents = signed.joined(programs, made.of)
    certificate = signed.common_signer(contents, named_certificate(part))
    enrolment = {f"{signed.AUTO}/{name}": content for name, content in made.enrolment.items()}
    der = _der(certificate)
    image = _make_image(stage, {**files, **contents, **enrolment, signed.CERTIFICATE: der})
    with atomic_file(stage.path(part.file)) as temporary:
        temporary.write_bytes(der)
    stage.write(
        SignedFiles(
            images=(image,),
            programs=tuple(
                SignedProgram(name=one.name, sha256=Artefact.of("", contents[one.name]).sha256, authenticode=one.digest)
                for one in programs
            ),
            certificate=Artefact.of(stage.artefact(stage.path(part.file)), der),
            subject=certificate.subject.rfc4514_string(),
            sha256=Artefact.of("", der).sha256,
            enrols=bool(enrolment),
        )
    )
    shutil.rmtree(stage.path(REQUEST), ignore_errors=True)
    return f"{len(programs)} programs signed by {certificate.subject.rfc4514_string()}"


def _der(certificate: Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)


def _signed_here(stage: Stage[Slice], programs: Sequence[Program]) -> Signatures:
    part, epoch = stage.slice, stage.read(BootInputs).epoch
    digests = {one.digest for one in programs}
    if part.token:
        return child.start(_sign_with_token, part.token, digests, part.certificate, epoch).result(program_timeout())
    return namespace.call(_sign_with_file, stage.sources[KEY], digests, part.certificate, epoch)


def _sign_with_file(key: Path, digests: Collection[Digest], certificate: str, epoch: int) -> Signatures:
    """Sign with a key file; runs in a namespace without a network, in which nothing can be written."""
    return sign(digests, certificate, partial(sign_with, read_key(key)), epoch)


def _sign_with_token(uri: str, digests: Collection[Digest], certificate: str, epoch: int) -> Signatures:
    """Sign with a token; runs on the host, as its module talks to daemons and devices there."""
    with opened(parse_uri(uri)) as signer:
        return sign(digests, certificate, signer, epoch)


def _signed_elsewhere(stage: Stage[Slice], programs: Sequence[Program]) -> Signatures:
    """Return the signatures that were taken; raises AwaitsSignaturesError, after the request is written."""
    part = stage.slice
    found = kept_signatures(stage.path(KEPT), {one.digest for one in programs})
    if all(one.digest in found for one in programs):
        return Signatures(of=found)
    request = write_request(stage.path(REQUEST), stage.image, (part.subject, part.sha256), programs)
    count = len({one.digest for one in programs})
    hint = f"sign the files beside it, then: doit sign-import image={stage.recipe.name} from=DIRECTORY"
    raise AwaitsSignaturesError(f"{count} programs are to be signed elsewhere", where=str(request), hint=hint)


def _make_image(stage: Stage[Slice], files: Mapping[str, Path | bytes]) -> PartitionImage:
    """Make the EFI system partition of files of the cache and of contents."""
    part, inputs = stage.slice, stage.read(BootInputs)
    below = {entry.name: stage.cache / entry.file.path for entry in inputs.esp}
    chroot = layers.read(stage.cache / stage.read(BuildEnvironment).layer.place).tree
    image, work = stage.path("esp-signed.img"), stage.path("work")
    work.mkdir(exist_ok=True)
    writes = [work, stage.create_log()]
    with toolbox.workspace(work / "sign") as place:
        merged, made = merge_files(below, files), place / image.name
        # What tools leave when they are killed belongs to ids of the namespace, and is removed there.
        tools = work / "sign-tools"
        namespace.call(_write_image, part.esp, merged, made, chroot, inputs.epoch, tools, stage.log, writes=writes)
        made.replace(image)
    size = Bytes(image.stat().st_size)
    return PartitionImage(id=part.esp.id, path=stage.artefact(image), size=size, digest=digest_of_sparse(image))


def _write_image(  # noqa: PLR0913 - runs in a namespace: all it knows is said here
    esp: EspPartition,
    files: Mapping[str, Path | bytes],
    image: Path,
    chroot: Path,
    epoch: int,
    place: Path,
    log: Path,
) -> None:
    visible = [image.parent, *sorted({file.parent for file in files.values() if isinstance(file, Path)})]
    with (
        toolbox.workspace(place) as work,
        toolbox.opened(chroot, work, log, visible=visible) as tools,
    ):
        make_esp(esp, image, files, epoch, tools)
