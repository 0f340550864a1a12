"""OVMF's variables with a certificate of one's own; tests/images/test_secure_boot.py shows that OVMF takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from image.own_keys import make_keys

from oic.boottest.variables import with_certificate
from oic.boottest.vm import FIRMWARE, MICROSOFT_VARS, VARS
from oic.errors import OicError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.boot
def test_a_certificate_is_written_three_times_and_the_size_stays(tmp_path: Path) -> None:
    keys = make_keys(tmp_path)
    empty = (FIRMWARE / VARS).read_bytes()
    made = with_certificate(empty, keys.cer.read_bytes())
    assert len(made) == len(empty)
    assert made.count(keys.cer.read_bytes()) == 3
    for name in ("PK", "KEK", "db"):
        assert f"{name}\0".encode("utf-16-le") in made
    with pytest.raises(OicError, match="with room for a certificate, found one without"):
        with_certificate(made, keys.cer.read_bytes())
    with pytest.raises(OicError, match="found one without"):
        with_certificate((FIRMWARE / MICROSOFT_VARS).read_bytes(), keys.cer.read_bytes())


@pytest.mark.parametrize("content", [b"", b"text", bytes(1 << 16)])
def test_what_is_no_variable_store_is_refused(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(OicError, match="expected a variable store of OVMF, found something else"):
        with_certificate(content, make_keys(tmp_path).cer.read_bytes())
