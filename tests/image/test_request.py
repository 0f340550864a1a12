"""What is signed elsewhere and comes back: only the signature is taken, and nothing else is."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from oic.errors import OicError, TrustError
from oic.image.boot.uki import assemble_uki
from oic.image.signing.keys import read_certificate
from oic.image.signing.request import (
    FILE,
    kept_signatures,
    read_request,
    take_signatures,
    write_request,
)
from oic.image.signing.signed import common_signer, joined, program_of
from oic.values import Digest

from .host import output
from .own_keys import OwnKeys, make_keys

if TYPE_CHECKING:
    from pathlib import Path

    from oic.image.signing.signed import Program

NOBODY = ("", Digest(""))


@pytest.fixture
def programs(linked: Path) -> list[Program]:
    manager = linked.read_bytes()
    kernel = assemble_uki(manager, [(".linux", b"kernel" * 100)])
    named = {"EFI/BOOT/BOOTX64.EFI": manager, "EFI/systemd/systemd-bootx64.efi": manager, "EFI/Linux/a.efi": kernel}
    return [program_of(name, content) for name, content in named.items()]


@pytest.fixture
def asked(programs: list[Program], tmp_path: Path) -> Path:
    write_request(tmp_path / "asked", "small", NOBODY, programs)
    return tmp_path / "asked"


def sign(asked: Path, keys: OwnKeys) -> Path:
    back = asked.with_name("back")
    shutil.rmtree(back, ignore_errors=True)
    back.mkdir()
    for one in read_request(asked).files:
        output("sbsign", "--key", keys.key, "--cert", keys.crt, "--output", back / one.file, asked / one.file)
    return back


def test_a_program_under_two_names_is_asked_for_once(asked: Path, programs: list[Program]) -> None:
    request = read_request(asked)
    assert [(one.file, one.paths) for one in request.files] == [
        ("BOOTX64.EFI", ("EFI/BOOT/BOOTX64.EFI", "EFI/systemd/systemd-bootx64.efi")),
        ("a.efi", ("EFI/Linux/a.efi",)),
    ]
    assert {path.name for path in asked.iterdir()} == {"BOOTX64.EFI", "a.efi", FILE}
    for one in request.files:
        said = output("sha256sum", asked / one.file).split()[0]
        assert (one.sha256, one.size) == (said, (asked / one.file).stat().st_size)
    assert {one.authenticode for one in request.files} == {program.digest for program in programs}


def test_what_comes_back_is_verified_and_used(asked: Path, programs: list[Program], tmp_path: Path) -> None:
    keys = make_keys(tmp_path)
    certificate = read_certificate(keys.crt, "PEM")
    kept = tmp_path / "kept"
    assert take_signatures(asked, sign(asked, keys), kept, None) == certificate
    (kept / f"{'0' * 64}.p7").write_bytes(b"of an older image")
    signatures = kept_signatures(kept, {program.digest for program in programs})
    assert len([*kept.iterdir()]) == len(signatures) == 2
    made = joined(programs, signatures)
    assert common_signer(made, certificate) == certificate
    for content in made.values():
        (tmp_path / "signed.efi").write_bytes(content)
        output("sbverify", "--cert", keys.crt, tmp_path / "signed.efi")


def test_another_signer_than_the_named_one_is_refused(asked: Path, tmp_path: Path) -> None:
    wanted = read_certificate(make_keys(tmp_path).crt, "PEM")
    other = make_keys(tmp_path, "other")
    said = "BOOTX64.EFI: expected a signature by CN=db of a test, found one by CN=other of a test"
    with pytest.raises(TrustError, match=said):
        take_signatures(asked, sign(asked, other), tmp_path / "kept", wanted)
    assert not (tmp_path / "kept").exists()


def test_two_signers_are_refused(asked: Path, tmp_path: Path) -> None:
    keys, other = make_keys(tmp_path), make_keys(tmp_path, "other")
    first = sign(asked, other)
    first.rename(tmp_path / "first")
    back = sign(asked, keys)
    shutil.copy(tmp_path / "first/a.efi", back)
    with pytest.raises(TrustError, match=r"a\.efi: expected a signature by CN=db of a test, found one by CN=other"):
        take_signatures(asked, back, tmp_path / "kept", None)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda back, _: (back / "a.efi").unlink(),
            "a.efi: expected the signed program, found no readable file: No such",
        ),
        (lambda back, asked: shutil.copy(asked / "a.efi", back), "a.efi: expected one signature, found none"),
        (
            lambda back, _: shutil.copy(back / "BOOTX64.EFI", back / "a.efi"),
            "a.efi: expected a.efi of the request, the same but for its signature, found other bytes",
        ),
        (lambda back, _: (back / "a.efi").write_bytes(b"text"), "a.efi: expected a PE32. image as the program, found"),
    ],
)
def test_what_was_not_asked_for_is_not_taken(change: object, said: str, asked: Path, tmp_path: Path) -> None:
    back = sign(asked, make_keys(tmp_path))
    assert callable(change)
    change(back, asked)
    with pytest.raises(OicError, match=said):
        take_signatures(asked, back, tmp_path / "kept", None)
    assert not (tmp_path / "kept").exists()


def test_without_a_request_nothing_is_taken(tmp_path: Path) -> None:
    with pytest.raises(OicError, match=r"request\.json: expected a request for signatures, found none"):
        read_request(tmp_path)
    (tmp_path / FILE).write_text("{}")
    with pytest.raises(OicError, match=r"request\.json: expected a request for signatures, found a damaged one"):
        read_request(tmp_path)
