"""Keys that expire, through doit: last year's packages are built from, and nothing that a thief of the key adds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from provider.rpm.keys import Key
from provider.rpm.surgery import parts_of

from .tiny_rpm import HELLO, KEY, SIGNATURE

if TYPE_CHECKING:
    from pathlib import Path

    from .bench import Bench
    from .tiny_rpm import TinyRpm

MADE, IN_TIME, LATE = (f"{day}T000000!" for day in ("20200101", "20200601", "20210601"))
REMARK = "has expired since, on 2021-01-01"


@pytest.fixture
def old(tmp_path: Path) -> Key:
    """Return a key that has not expired yet, by what it says of itself."""
    return Key(home=tmp_path / "k").make("rsa2048", f"--faked-system-time={MADE}")


@pytest.fixture
def signed(rpm_bench: Bench, tiny_rpms: TinyRpm, old: Key) -> Signed:
    return Signed(rpm_bench, tiny_rpms, old)


class Signed:
    """The repository with ``hello`` signed by the old key, which has expired by now."""

    def __init__(self, bench: Bench, tiny: TinyRpm, old: Key) -> None:
        self.bench, self.tiny, self.old = bench, tiny, old

    def publish(self, signed: str, *, revoked: bool = False, revision: int = 1000) -> None:
        file = self.bench.place / "hello.rpm"
        file.write_bytes(parts_of(self.tiny.packages["hello"]).bytes())
        self.tiny.publish(revision=revision, hello=self.old.sign(file, faked_time=signed).read_bytes())
        self.old.end("2021-01-01", on=IN_TIME)
        if revoked:
            self.old.revoke()
        self.tiny.serve(KEY, self.tiny.key.public() + self.old.public())

    def refused(self, stage: str, *words: str) -> None:
        self.bench.oic("rootfs").refused_in_one_line(f"{stage}:small failed: ", *words)
        self.bench.keeps_nothing_unverified()


def test_a_package_signed_in_time_is_built_from_and_the_evidence_says_so(signed: Signed) -> None:
    signed.publish(IN_TIME)
    remark = f"the key {signed.old.fingerprint} {REMARK}"
    signed.bench.oic("rootfs").succeeded(f"note: 1 packages were signed in time, but {remark}", "3 packages installed")
    trust = json.loads((signed.bench.image / "trust.json").read_text())
    assert trust["verdicts"]["image"]["hello"] == f"signed by {signed.old.fingerprint}; {remark}; listed by tiny"
    assert trust["unsigned"] == {"image": [], "tools": []}


def test_a_package_signed_after_its_key_expired_is_refused(signed: Signed) -> None:
    signed.publish(LATE)
    words = "expected a signature made while its key was valid, found one of 2021-06-01 by a key valid from 2020-01-01"
    signed.refused("verify", "hello 1.0-1: ", words)


def test_a_package_by_a_key_that_expired_and_was_revoked_is_refused(signed: Signed) -> None:
    signed.publish(IN_TIME, revoked=True)
    signed.refused("verify", "hello 1.0-1: found a signature by a revoked key")


def test_metadata_by_a_key_that_expired_is_refused(signed: Signed) -> None:
    signature = signed.old.detached(
        signed.tiny.bodies["/tiny/base/repodata/repomd.xml"], f"--faked-system-time={IN_TIME}"
    )
    signed.old.end("2021-01-01", on=IN_TIME)
    signed.tiny.serve(SIGNATURE, signature)
    signed.tiny.serve(KEY, signed.old.public())
    signed.refused("metadata", signed.tiny.mirror.url(SIGNATURE), "found a signature by an expired key")


def test_where_only_a_lock_lists_it_a_package_by_an_expired_key_is_refused(signed: Signed) -> None:
    """On another machine, once the index that the lock was made from is gone."""
    signed.publish(IN_TIME)
    signed.bench.oic("lock").succeeded()
    other = signed.bench.place / "other"
    signed.bench.oic("verify", cache=other).succeeded(
        f"note: 1 packages were signed in time, but the key {signed.old.fingerprint}"
    )
    key = signed.tiny.bodies[KEY]
    signed.tiny.publish(revision=2000, hello=signed.tiny.bodies[HELLO])
    signed.tiny.serve(KEY, key)
    again = signed.bench.oic("verify", cache=signed.bench.place / "again")
    again.succeeded("note: 1 packages were signed in time, but the key", "5 packages, all good")
    assert "packages is as small.lock.json says" not in again.said, "the present index lists it as well"
    signed.tiny.lose(SIGNATURE)
    words = f"as the key {signed.old.fingerprint} {REMARK}; found that small.lock.json alone says what tiny lists"
    ran = signed.bench.oic("verify", cache=signed.bench.place / "third")
    ran.refused_in_one_line("verify:small failed: hello 1.0-1: expected an index that was verified, ", words)
    assert "note: the present index of tiny is not taken: " in ran.said
