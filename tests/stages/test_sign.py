"""The process that reads the private key: it can write nothing and has no network."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest
from image.own_keys import make_keys

from oic.chroot import namespace
from oic.errors import OicError
from oic.runs import sign as running
from oic.runs.sign import _sign_with_file
from oic.values import Digest

if TYPE_CHECKING:
    from pathlib import Path

DIGEST = Digest("0" * 64)


def probe(key: Path) -> None:
    """Try what a process with a key should not be able to do, and say what came of it."""
    found = []
    try:
        (key.parent / "copy").write_bytes(key.read_bytes())
    except OSError as error:
        found.append(os.strerror(error.errno or 0))
    try:
        with socket.create_connection(("127.0.0.1", 9), timeout=1):
            pass
    except OSError as error:
        found.append(os.strerror(error.errno or 0))
    raise OicError("; ".join(found))


def test_the_process_with_the_key_has_no_network_and_can_write_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = make_keys(tmp_path)
    monkeypatch.setattr(running, "read_key", probe)
    with pytest.raises(OicError, match="Read-only file system; Network is unreachable"):
        namespace.call(_sign_with_file, keys.key, {DIGEST}, keys.crt.read_text(), 0)
    assert not (tmp_path / "copy").exists()


def test_another_key_than_the_certificates_is_noticed_by_the_first_signature(tmp_path: Path) -> None:
    keys, other = make_keys(tmp_path), make_keys(tmp_path, "other")
    said = "expected the private key of the certificate CN=db of a test, found another key"
    with pytest.raises(OicError, match=said):
        namespace.call(_sign_with_file, other.key, {DIGEST}, keys.crt.read_text(), 0)


def test_it_signs_what_it_is_given_the_digests_of(tmp_path: Path) -> None:
    keys = make_keys(tmp_path)
    made = namespace.call(_sign_with_file, keys.key, {DIGEST}, keys.crt.read_text(), 1_700_000_000)
    assert [*made.of] == [DIGEST]
    assert {*made.enrolment} == {"PK.auth", "KEK.auth", "db.auth"}
