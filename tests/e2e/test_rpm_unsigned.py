"""A repository that signs its packages only, through doit: built from, and never in silence."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from provider.rpm.surgery import parts_of

from .tiny_rpm import HELLO, KEY, PRIMARY, REPOMD, SIGNATURE

if TYPE_CHECKING:
    from .bench import Bench
    from .tiny_rpm import TinyRpm

UNSIGNED = "  signedMetadata: false\n"
NOTE = "note: the metadata of tiny are not signed: they came by https; each package is held against its own signature"


@pytest.fixture
def unsigned(rpm_bench: Bench, tiny_rpms: TinyRpm) -> Bench:
    """Return a place where the recipe says that nobody signs the metadata, and nobody does."""
    tiny_rpms.lose(SIGNATURE)
    rpm_bench.write(UNSIGNED)
    return rpm_bench


def _read(bench: Bench, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((bench.image / name).read_text())
    return found


def test_it_is_built_from_and_the_build_and_the_evidence_say_so(unsigned: Bench, tiny_rpms: TinyRpm) -> None:
    unsigned.oic("rootfs").succeeded(NOTE, "1 with unsigned metadata", "5 packages, all good", "3 packages installed")
    trust = _read(unsigned, "trust.json")
    assert trust["unsignedMetadata"] == ["tiny"]
    assert trust["unsigned"] == {"image": [], "tools": []}
    words = f"signed by {tiny_rpms.key.fingerprint}; listed by tiny, whose metadata nobody signed"
    assert set(trust["verdicts"]["image"].values()) == {words}
    assert SIGNATURE not in tiny_rpms.asked()


def test_a_signature_is_not_missed_only_where_the_recipe_says_so(rpm_bench: Bench, tiny_rpms: TinyRpm) -> None:
    tiny_rpms.lose(SIGNATURE)
    hint = "if only its packages are signed: signedMetadata: false; if nothing is: [trusted=yes] as its key"
    words = f"metadata:small failed: {tiny_rpms.mirror.url(SIGNATURE)}: expected a signature, found none ({hint})"
    rpm_bench.oic("solve").refused_in_one_line(words)


def test_each_package_is_held_against_its_own_signature(unsigned: Bench, tiny_rpms: TinyRpm) -> None:
    tiny_rpms.publish(hello=parts_of(tiny_rpms.packages["hello"]).bytes())
    words = "verify:small failed: hello 1.0-1: expected a signature by a key of tiny, found none"
    unsigned.oic("rootfs").refused_in_one_line(words)
    unsigned.keeps_nothing_unverified()


def test_what_the_metadata_say_is_checked_as_ever(unsigned: Bench, tiny_rpms: TinyRpm) -> None:
    tiny_rpms.serve(PRIMARY, tiny_rpms.bodies[PRIMARY][:-1] + b"!")
    unsigned.oic("solve").refused_in_one_line(
        f"metadata:small failed: {tiny_rpms.mirror.url(PRIMARY)}: expected sha256 "
    )
    tiny_rpms.publish(change=lambda plain: plain.replace(b'href="hello', b'href="../../hello'))
    unsigned.oic("solve").refused_in_one_line("solve:small failed: ", "below the repository, found it at '../../hello")


def test_its_date_does_not_go_back(unsigned: Bench, tiny_rpms: TinyRpm) -> None:
    tiny_rpms.publish(revision=2000)
    unsigned.oic("solve").succeeded()
    before = (unsigned.image / "lock.json").read_bytes()
    tiny_rpms.publish(revision=1000)
    unsigned.oic("update").refused_in_one_line(tiny_rpms.mirror.url(REPOMD), "expected metadata no older than")
    assert (unsigned.image / "lock.json").read_bytes() == before
    tiny_rpms.publish(revision=3000)
    unsigned.oic("update").succeeded(NOTE, "no package changed")


def test_plain_http_is_refused_before_it_is_asked(unsigned: Bench, tiny_rpms: TinyRpm) -> None:
    plain = tiny_rpms.url.replace("https", "http")
    unsigned.write(UNSIGNED, mirror=plain)
    words = f"small.yml:2: target: tiny: expected an https URL, as its metadata are not signed, found {plain}/base"
    unsigned.oic("solve").refused_in_one_line(words, "target.signedMetadata: true, if the mirror signs them")
    assert tiny_rpms.asked() == []


def test_a_kept_lock_says_that_nobody_signed_what_it_was_made_from(unsigned: Bench, tiny_rpms: TinyRpm) -> None:
    unsigned.oic("lock").succeeded(NOTE)
    lock = unsigned.place / "small.lock.json"
    other = unsigned.place / "other"
    ran = unsigned.oic("verify", cache=other)
    ran.succeeded("5 packages, all good")
    assert "as small.lock.json says: that" not in ran.said, "the present index, which came by https, lists them"
    tiny_rpms.lose(REPOMD)
    other = unsigned.place / "third"
    said = "note: nobody signed the index of tiny: that it lists 5 packages is as small.lock.json says"
    unsigned.oic("verify", cache=other).succeeded(
        said, "note: the present index of tiny is not taken: ", "5 packages, all good"
    )
    trust = json.loads((other / "small/trust.json").read_text())
    assert trust["unsignedMetadata"] == ["tiny"]
    words = (
        f"signed by {tiny_rpms.key.fingerprint}; listed by tiny, whose metadata nobody signed, as small.lock.json says"
    )
    assert set(trust["verdicts"]["image"].values()) == {words}
    good = lock.read_text()
    lock.write_text(good.replace(tiny_rpms.url, tiny_rpms.url.replace("https", "http")))
    unsigned.oic("verify", cache=other).refused("tiny: expected an https URL, as its metadata are not signed, found")
    lock.write_text(good)
    unsigned.write()
    ran = unsigned.oic("verify", cache=other)
    ran.refused_in_one_line(f"{lock}: tiny: expected the signers of its index, found none", "doit lock")


def test_a_kept_lock_is_held_against_its_index_all_the_same(unsigned: Bench, tiny_rpms: TinyRpm) -> None:
    unsigned.oic("lock").succeeded()
    lock = unsigned.place / "small.lock.json"
    data = json.loads(lock.read_text())
    hello = next(package for package in data["sets"]["image"] if package["name"] == "hello")
    kernel = next(package for package in data["sets"]["image"] if package["name"] == "kernel")
    hello.update({key: kernel[key] for key in ("sha256", "size")})
    tiny_rpms.serve(HELLO, tiny_rpms.packages["kernel"])
    lock.write_text(json.dumps(data))
    ran = unsigned.oic("verify")
    ran.refused_in_one_line(
        "verify:small failed: tiny: expected the packages of its index, which nobody signed, found hello 1.0-1"
    )


def test_an_update_says_that_the_metadata_are_signed_no_more(rpm_bench: Bench, tiny_rpms: TinyRpm) -> None:
    rpm_bench.oic("solve").succeeded()
    tiny_rpms.lose(SIGNATURE)
    rpm_bench.write(UNSIGNED)
    rpm_bench.oic("update").succeeded(f"tiny: signed by {tiny_rpms.key.fingerprint} -> nobody", "no package changed")


def test_a_list_of_mirrors_is_gone_through_by_https_only(unsigned: Bench, tiny_rpms: TinyRpm) -> None:
    facts = unsigned.place / "data/tiny/rpm1"
    facts.mkdir(parents=True)
    for file in (unsigned.distributions / "tiny/rpm1").iterdir():
        (facts / file.name).write_bytes(file.read_bytes())
    data = (facts / "distribution.yml").read_text()
    listed = tiny_rpms.mirror.url("/mirrors")
    (facts / "distribution.yml").write_text(
        data.replace("path: base,", f"path: base, mirrorList: '{listed}',").replace(
            "repodata/repomd.xml.key", tiny_rpms.mirror.url(KEY)
        )
    )
    unsigned.environment["OIC_DISTRIBUTIONS"] = str(unsigned.place / "data")
    unsigned.recipe.write_text(re.sub("  mirror: .*\n", "", unsigned.recipe.read_text()))
    plain, good = (f"{url}/base" for url in (tiny_rpms.url.replace("https", "http"), tiny_rpms.url))
    tiny_rpms.serve("/mirrors", f"{plain}\n".encode())
    words = "expected an https URL, because the metadata of tiny are not signed, found none"
    unsigned.oic("solve").refused_in_one_line(f"metadata:small failed: {listed}: {words}")
    tiny_rpms.serve("/mirrors", f"{plain}\n{good}\n".encode())
    passed = "note: mirrors of tiny by plain http are skipped, because its metadata are not signed"
    unsigned.oic("solve").succeeded(passed, NOTE)
    assert {entry["url"] for entry in _read(unsigned, "lock.json")["repositories"]} == {good}
