"""A package's signature by a key that has expired since: when it counts, what is said, and what rpm says of it."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from oic.errors import TrustError
from oic.ospackage.store import Store
from oic.provider.openpgp import detached_signers, keyring
from oic.provider.rpm.verify import verify

from .keys import Key
from .made import Made, lock_of, locked, needs_rpm, repository

if TYPE_CHECKING:
    from pathlib import Path

    from oic.provider.protocol import Verdict

MADE, SIGNED, ENDED, LATE = (f"{day}T000000!" for day in ("20200101", "20200601", "20210101", "20210601"))
END = "on 2021-01-01"


@pytest.fixture(scope="module", autouse=True)
def _rpm() -> None:
    needs_rpm()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def key(tmp_path: Path) -> Key:
    """Return a key made in 2020 that does not say yet when it expires."""
    return Key(home=tmp_path / "key").make("rsa2048", f"--faked-system-time={MADE}")


@pytest.fixture
def package(tmp_path: Path) -> Path:
    return Made().make(tmp_path / "made")


def _verdict(file: Path, store: Store, *keys: Key, claimed_by: str = "", trusted: bool = False) -> Verdict:
    entry = locked(file, store)
    lock = lock_of([entry], repository(store, *keys, trusted=trusted))
    return verify(lock, [entry], store, {entry.sha256: claimed_by} if claimed_by else {})[entry.name]


def _refused(message: str, file: Path, store: Store, *keys: Key, claimed_by: str = "", trusted: bool = False) -> None:
    with pytest.raises(TrustError, match=message) as raised:
        _verdict(file, store, *keys, claimed_by=claimed_by, trusted=trusted)
    assert "\n" not in str(raised.value)
    assert str(raised.value).startswith("small 1.0-1: ")


def _expires(key: Key, *, subkeys: bool = False) -> Key:
    return key.end("2021-01-01", on=SIGNED, subkeys=subkeys)


def test_a_signature_by_a_key_that_expired_later_counts_with_a_remark(package: Path, store: Store, key: Key) -> None:
    key.sign(package, faked_time=SIGNED)
    assert _verdict(package, store, key).remarks == ()
    verdict = _verdict(package, store, _expires(key))
    remark = f"the key {key.fingerprint} has expired since, {END}"
    assert verdict.signed
    assert verdict.remarks == (remark,)
    assert verdict.words == f"signed by {key.fingerprint}; {remark}; listed by base"


def test_rpm_accepts_such_a_package_too(package: Path, key: Key, tmp_path: Path) -> None:
    key.sign(package, faked_time=SIGNED)
    database = f"--dbpath={tmp_path / 'db'}"
    (tmp_path / "key.asc").write_bytes(_expires(key).public())
    subprocess.run(["rpmkeys", database, "--import", str(tmp_path / "key.asc")], check=True)
    argv = ["rpmkeys", database, "--define", "_pkgverify_level all", "--checksig", str(package)]
    assert subprocess.run(argv, capture_output=True, check=False).returncode == 0


def test_a_document_by_the_same_key_is_refused(key: Key) -> None:
    signature = key.detached(b"a document", f"--faked-system-time={SIGNED}")
    with (
        keyring({"here": _expires(key).public()}) as ring,
        pytest.raises(TrustError, match="found a signature by an expired key"),
    ):
        detached_signers(ring.gpg, b"a document", signature, where="repomd.xml")


def test_a_signature_made_after_its_key_expired_is_refused(package: Path, store: Store, key: Key) -> None:
    key.sign(package, faked_time=LATE)
    found = "found one of 2021-06-01 by a key valid from 2020-01-01 to 2021-01-01"
    _refused(f"expected a signature made while its key was valid, {found}", package, store, _expires(key))


@pytest.mark.parametrize(("second", "good"), [("20200101T001639!", True), ("20200101T001640!", False)])
def test_the_second_at_which_a_key_expires_is_too_late(
    second: str, package: Path, store: Store, key: Key, *, good: bool
) -> None:
    key.sign(package, faked_time=second)
    key.end("seconds=999", on="20200101T000001!")
    if good:
        assert _verdict(package, store, key).remarks
    else:
        _refused("found one of 2020-01-01 by a key valid from 2020-01-01 to 2020-01-01", package, store, key)


@pytest.mark.parametrize("signed", [SIGNED, LATE])
def test_a_key_both_expired_and_revoked_never_counts(package: Path, store: Store, key: Key, signed: str) -> None:
    """Gpg's verdict says of such a key only that it has expired."""
    key.sign(package, faked_time=signed)
    _refused(f"found a signature by a revoked key .{key.fingerprint}", package, store, _expires(key).revoke())


def test_a_subkey_has_its_own_period(package: Path, store: Store, key: Key) -> None:
    key.gpg(f"--faked-system-time={MADE}", "--quick-add-key", key.fingerprint, "rsa2048", "sign")
    key.sign(package, faked_time=SIGNED)
    verdict = _verdict(package, store, _expires(key, subkeys=True))
    assert verdict.remarks == (f"the key {key.fingerprint} has expired since, {END}",)


def test_a_subkey_that_expired_before_it_signed_is_refused(package: Path, store: Store, key: Key) -> None:
    key.gpg(f"--faked-system-time={MADE}", "--quick-add-key", key.fingerprint, "rsa2048", "sign")
    key.sign(package, faked_time=LATE)
    _refused("found one of 2021-06-01 by a key valid", package, store, _expires(key, subkeys=True))


def test_a_revoked_subkey_of_an_expired_key_never_counts(package: Path, store: Store, key: Key) -> None:
    key.gpg(f"--faked-system-time={MADE}", "--quick-add-key", key.fingerprint, "rsa2048", "sign")
    key.sign(package, faked_time=SIGNED)
    answers = b"key 1\nrevkey\ny\n0\n\ny\nsave\n"
    key.gpg("--command-fd", "0", "--edit-key", key.fingerprint, data=answers)
    _refused("found a signature by a revoked key", package, store, _expires(key))


def test_a_key_that_expired_later_needs_a_verified_index(package: Path, store: Store, key: Key) -> None:
    """Who has the expired key can date a signature back: then the list is what says that the package is right."""
    key.sign(package, faked_time=SIGNED)
    words = f"expected an index that was verified, as the key {key.fingerprint} has expired since, {END}; "
    _refused(
        f"{words}found that edge.lock.json alone says what base lists",
        package,
        store,
        _expires(key),
        claimed_by="edge.lock.json",
    )
    _refused(f"{words}found that nobody's signature says what base lists", package, store, key, trusted=True)


def test_a_valid_key_gives_no_remark(package: Path, store: Store, key: Key, tmp_path: Path) -> None:
    second = Key(home=tmp_path / "second").make("ed25519")
    assert _verdict(second.sign(package), store, second, _expires(key)).remarks == ()
