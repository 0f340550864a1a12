"""What an rpm repository may do wrong with its packages: no bad one is used, and a good mirror makes up for it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from provider.rpm.surgery import numbers, parts_of

from oic.provider.rpm.tags import Tag

from .tiny_rpm import BASE, HELLO, KEY, PRIMARY, REPOMD, SIGNATURE, sealed

if TYPE_CHECKING:
    from collections.abc import Callable

    from provider.rpm.keys import Key

    from .bench import Bench
    from .tiny_rpm import TinyRpm


def refused(bench: Bench, stage: str, *texts: str) -> None:
    """A stage refuses a package in one line; nothing of any package has been used."""
    bench.oic("rootfs").refused_in_one_line(f"{stage}:small failed: ", *texts)
    bench.keeps_nothing_unverified()
    assert not (bench.image / "rootfs.json").exists()


def goes_on(bench: Bench, tiny: TinyRpm) -> None:
    """With good packages published in their stead, an update is all it takes."""
    tiny.publish(revision=3000)
    bench.oic("update").succeeded()
    bench.oic("rootfs").succeeded("5 packages, all good", "2 packages unpacked", "3 packages installed")


def test_another_validly_signed_package_in_its_place(rpm_bench: Bench, tiny_rpms: TinyRpm) -> None:
    """As served, the index's digest tells; as indexed by whoever signs the index, the package's own header."""
    kernel = tiny_rpms.packages["kernel"]
    tiny_rpms.serve(HELLO, kernel)
    digest = rpm_bench.digest("hello")
    refused(rpm_bench, "download", f"hello 1.0-1: {tiny_rpms.mirror.url(HELLO)}: expected ", "try doit update")
    assert not list(rpm_bench.cache.rglob(digest))
    tiny_rpms.publish(revision=2000, hello=kernel, change=lambda plain: _renamed(plain, b"hello.rpm"))
    rpm_bench.forget_metadata()
    refused(rpm_bench, "verify", "hello 1.0-1: expected the package hello 1.0-1 noarch, found kernel 1.0-1 noarch")
    goes_on(rpm_bench, tiny_rpms)


def _renamed(plain: bytes, location: bytes) -> bytes:
    """Say of the package at a location that its name is another."""
    head, entry, tail = plain.partition(b'<location href="' + location)
    start = head.rindex(b"<name>")
    return head[:start] + head[start:].replace(b"<name>kernel<", b"<name>hello<") + entry + tail


def test_a_mirror_that_is_mended_is_gone_on_with(rpm_bench: Bench, tiny_rpms: TinyRpm) -> None:
    tiny_rpms.serve(HELLO, tiny_rpms.packages["hello"][:-1] + b"!")
    refused(rpm_bench, "download", "hello 1.0-1: ", "expected sha256 ")
    tiny_rpms.publish()
    tiny_rpms.asked()
    rpm_bench.oic("verify").succeeded("1 packages fetched", "4 were there", "5 packages, all good")
    assert tiny_rpms.asked() == [HELLO]


def _unsigned(data: bytes, _: dict[str, Key]) -> bytes:
    return parts_of(data).bytes()


def _foreign(data: bytes, keys: dict[str, Key]) -> bytes:
    return sealed(parts_of(data), keys["foreign"])


def _payload(data: bytes, keys: dict[str, Key]) -> bytes:
    parts = parts_of(data)
    parts.payload = parts.payload[:-1] + b"!"
    return sealed(parts, keys["own"])


def _header(data: bytes, keys: dict[str, Key]) -> bytes:
    """Change the header after it was signed, its digests with it."""
    parts = parts_of(data)
    sealed(parts, keys["own"])
    parts.header[Tag.BUILD_TIME] = numbers(1)
    return parts.bytes()


BAD: dict[str, tuple[Callable[[bytes, dict[str, Key]], bytes], str]] = {
    "unsigned": (_unsigned, "hello 1.0-1: expected a signature by a key of tiny, found none"),
    "foreign": (_foreign, "hello 1.0-1: expected a signature by a key of this repository, found signatures by unknown"),
    "payload": (_payload, "hello 1.0-1: expected a payload of sha256 "),
    "header": (_header, "hello 1.0-1: found a signature that does not match the text"),
}


def test_a_package_that_is_as_indexed_and_not_to_be_trusted(
    rpm_bench: Bench, tiny_rpms: TinyRpm, keys: dict[str, Key]
) -> None:
    for number, (change, words) in enumerate(BAD.values()):
        tiny_rpms.publish(revision=1000 + number, hello=change(tiny_rpms.packages["hello"], keys))
        rpm_bench.forget_metadata()
        refused(rpm_bench, "verify", words)
    goes_on(rpm_bench, tiny_rpms)


def test_unsigned_by_the_recipe_s_own_word(rpm_bench: Bench, tiny_rpms: TinyRpm, keys: dict[str, Key]) -> None:
    tiny_rpms.publish(hello=_unsigned(tiny_rpms.packages["hello"], keys))
    rpm_bench.write("  mirrorKeys: ['[trusted=yes]']\n")
    rpm_bench.oic("rootfs").succeeded(
        "note: the metadata of tiny is taken unsigned, by [trusted=yes] of the recipe",
        "note: 5 packages nobody signed, by [trusted=yes] of the recipe: extra, filesystem, hello, kernel, tools",
        "3 packages installed",
    )
    trust = json.loads((rpm_bench.image / "trust.json").read_text())
    assert trust["unsigned"] == {"image": ["filesystem", "hello", "kernel"], "tools": ["extra", "tools"]}


def test_a_kept_lock_brings_its_keys(rpm_bench: Bench, tiny_rpms: TinyRpm, keys: dict[str, Key]) -> None:
    """On another machine: the keys are those that were locked, or none, and so is the signed index."""
    rpm_bench.oic("lock").succeeded("5 packages, built exactly so from now on")
    tiny_rpms.serve(KEY, keys["own"].public() + keys["next"].public())
    tiny_rpms.asked()
    other = rpm_bench.place / "other"
    rpm_bench.oic("verify", cache=other).refused_in_one_line(
        f"download:small failed: key of tiny: {tiny_rpms.mirror.url(KEY)}: expected ", "found "
    )
    assert not list(other.glob("store/sha256/*/*"))
    tiny_rpms.serve(KEY, keys["own"].public())
    rpm_bench.oic("verify", cache=other).succeeded("5 packages fetched", "5 packages, all good")
    asked = set(tiny_rpms.asked())
    assert asked == {KEY, REPOMD, SIGNATURE, PRIMARY, *(f"{BASE}/{name}.rpm" for name in tiny_rpms.packages)}
