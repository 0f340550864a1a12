"""Which keys and which signatures count, asked of gpg itself."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest

from oic.errors import TrustError
from oic.provider.keyfile import without_version_6
from oic.provider.openpgp import detached_signers, keyring

from .keys import Key

if TYPE_CHECKING:
    from pathlib import Path

TEXT = b"a document\n"


def _signers(key: Key, *words: str) -> tuple[str, ...]:
    with keyring({"here": key.public()}) as ring:
        return detached_signers(ring.gpg, TEXT, key.detached(TEXT, *words), where="here")


def test_a_key_that_binds_its_name_by_sha1_is_accepted(tmp_path: Path) -> None:
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


VERSION_6 = base64.b64decode(
    "xioGY4d/4xsAAAAg+U2nu0jWCmHlZ3BqZYfQMxmZu52JGggkLq2EVD34laPCsQYfGwoAAABCBYJjh3/jAwsJBwUVCg4IDAIWAAKbAwIeCSIhBssY"
    "bE8GCaaX5NUt+mxyKwwfHifBilZwj2Ul7Ce62azJBScJAgcCAAAAAK0oIBA+LX0ifsDm185Ecds2v8lwgyU2kCcUmKfvBXbAf6rhRYWzuQOwEn7E"
    "/aLwIwRaLsdry0+VcallHhSu4RN6HWaEQsiPlR4zxP/TP7mhfVEe7XWPxtnMUMtf15OyA51YBM4qBmOHf+MZAAAAIIaTJINn+eUBXbki+PSAld2n"
    "hJh/LVmFsS+60WyvXkQ1wpsGGBsKAAAALAWCY4d/4wKbDCIhBssYbE8GCaaX5NUt+mxyKwwfHifBilZwj2Ul7Ce62azJAAAAAAQBIKbpGG2dWTX8"
    "j+VjFM21J0hqWlEg+bdiojWnKfA5AQpWUWtnNwDEM0g12vYxoWM8Y81W+bHBw805I8kWVkXU6vFOi+HWvv/ira7ofJu16NnoUkhclkUrk0mXubZv"
    "yl4GBg=="
)
"""A key of version 6: the sample of RFC 9580, appendix A.3."""


def _armoured(data: bytes) -> bytes:
    lines = base64.encodebytes(data)
    return b"-----BEGIN PGP PUBLIC KEY BLOCK-----\nComment: a key\n\n" + lines + b"-----END PGP PUBLIC KEY BLOCK-----\n"


@pytest.mark.parametrize("armour", ["none", "one", "each"])
@pytest.mark.parametrize("order", ["before", "behind", "between"])
def test_other_keys_beside_one_of_version_6_are_used(order: str, armour: str, tmp_path: Path) -> None:
    """gpg by itself takes no key of such a file, rpm the others."""
    first, second = (Key(home=tmp_path / name).make("ed25519") for name in ("first", "second"))
    keys = [key.gpg("--export", key.fingerprint) for key in (first, second)]
    keys.insert({"before": 0, "between": 1, "behind": 2}[order], VERSION_6)
    file = b"".join(map(_armoured, keys)) if armour == "each" else b"".join(keys)
    file = _armoured(file) if armour == "one" else file
    with keyring({"here": file}) as ring:
        assert ring.fingerprints == {first.fingerprint, second.fingerprint}
        assert {entry["fingerprint"] for entry in ring.gpg.list_keys()} == ring.fingerprints
        signature = second.detached(TEXT)
        assert detached_signers(ring.gpg, TEXT, signature, where="here") == (second.fingerprint,)


@pytest.mark.parametrize("file", [VERSION_6, _armoured(VERSION_6), _armoured(VERSION_6) * 2])
def test_a_file_with_only_keys_of_version_6_is_refused(file: bytes) -> None:
    with pytest.raises(TrustError) as raised, keyring({"here": file}):
        pass
    assert str(raised.value) == "here: expected an OpenPGP key of version 4, found only version 6, which gpg cannot use"


def test_other_key_files_are_left_as_they_are(tmp_path: Path) -> None:
    key = Key(home=tmp_path / "key").make("ed25519")
    for file in (key.public(), key.gpg("--export", key.fingerprint), b"", b"no key", VERSION_6[:-1], b"\xc2\xe1" * 9):
        assert without_version_6(file, "here") is file


def test_a_key_file_at_which_gpg_aborts_is_damaged() -> None:
    """gpg ends at the first packet; the rest, more than a pipe holds, is never read."""
    with (
        pytest.raises(TrustError, match="expected an OpenPGP key, found a damaged one"),
        keyring({"here": VERSION_6[:-1] + bytes(2**20)}),
    ):
        pass
