"""What enrols a certificate, byte for byte what efitools and sbsigntool make of it."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

import pytest

from oic.image.signing.enrolment import enrolment_files, signature_list
from oic.image.signing.keys import read_certificate, read_key, sign_with

from .host import PATH, output
from .own_keys import make_keys

if TYPE_CHECKING:
    from pathlib import Path

EPOCH = 1_700_000_000


@pytest.mark.parametrize("name", ["PK", "KEK", "db"])
def test_a_signed_variable_is_the_one_of_efitools(name: str, tmp_path: Path) -> None:
    keys = make_keys(tmp_path)
    certificate = read_certificate(keys.crt, "PEM")
    made = enrolment_files(certificate, partial(sign_with, read_key(keys.key)), EPOCH)
    plain, signed = tmp_path / "plain.esl", tmp_path / "signed.auth"
    plain.write_bytes(signature_list(certificate))
    when = datetime.fromtimestamp(EPOCH, UTC).strftime("%Y-%m-%d %H:%M:%S")
    argv: list[str | Path] = ["sign-efi-sig-list", "-t", when, "-c", keys.crt, "-k", keys.key, name, plain, signed]
    subprocess.run(argv, env={"PATH": PATH, "TZ": "UTC"}, check=True, capture_output=True)
    assert made[f"{name}.auth"] == signed.read_bytes()
    assert [*made] == ["PK.auth", "KEK.auth", "db.auth"]


def test_a_signature_list_is_the_one_of_sbsigntool(tmp_path: Path) -> None:
    keys = make_keys(tmp_path)
    made = signature_list(read_certificate(keys.crt, "PEM"))
    owner = made[28:44]
    words = (owner[3::-1], owner[5:3:-1], owner[7:5:-1], owner[8:10], owner[10:])
    argv: list[str | Path] = [
        "--owner",
        "-".join(word.hex() for word in words),
        "--type",
        "x509",
        "--output",
        tmp_path / "esl",
    ]
    output("sbsiglist", *argv, keys.cer)
    assert (tmp_path / "esl").read_bytes() == made
