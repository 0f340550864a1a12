"""Which keys and which signatures count, asked of gpg itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from oic.errors import TrustError
from oic.provider.openpgp import detached_signers, keyring

from .keys import Key

if TYPE_CHECKING:
    from pathlib import Path

TEXT = b"a document\n"


def _signers(key: Key, *words: str) -> tuple[str, ...]:
    with keyring({"here": key.public()}) as ring:
        return detached_signers(ring.gpg, TEXT, key.detached(TEXT, *words), where="here")


def test_a_key_that_binds_its_name_by_sha1_is_a_key(tmp_path: Path) -> None:
    """Keys of large distributions are as old as that."""
    key = Key(home=tmp_path / "old").make("rsa2048", "--cert-digest-algo", "SHA1")
    assert "digest algo 2," in key.gpg("--list-packets", data=key.public()).decode()
    assert _signers(key) == (key.fingerprint,)


@pytest.mark.parametrize("weak", ["SHA1", "RIPEMD160", "SHA224", "MD5"])
def test_a_document_signed_by_a_weak_hash_is_refused(weak: str, tmp_path: Path) -> None:
    """Those of MD5 gpg does not even check."""
    key = Key(home=tmp_path / "key").make("rsa2048")
    with pytest.raises(TrustError) as raised:
        _signers(key, "--allow-weak-digest-algos", "--digest-algo", weak)
    expected = f"expected a signature of sha256 or sha384 or sha512, found one of {weak.lower()}, too weak"
    assert str(raised.value) == f"here: {expected}"
