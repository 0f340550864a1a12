"""update, lock and why: what is solved stays solved until the user asks, and says what changes then."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

from .tiny import FIRST, INDEX, MORE, RELEASE

if TYPE_CHECKING:
    from .bench import Bench
    from .tiny import Tiny

NEWER = ("hello_2", "libtiny1_2")


def twice(lock: str) -> str:
    """Return the lock with the first package of its image named again."""
    data = json.loads(lock)
    data["sets"]["image"].append(next(package for package in data["sets"]["image"] if package["name"] == "base"))
    return json.dumps(data)


def publish_newer(tiny: Tiny) -> None:
    tiny.publish((*FIRST, *MORE, *NEWER), age=timedelta(minutes=1))


def test_update_says_what_changes_and_nothing_changes_without(bench: Bench, tiny: Tiny) -> None:
    bench.oic("verify").succeeded()
    publish_newer(tiny)
    tiny.asked()
    bench.oic("verify").succeeded("-- metadata:small", "-- solve:small", "-- verify:small")
    assert tiny.asked() == []
    bench.oic("update").succeeded(
        "image: hello 1 -> 2", "image: libtiny1 1 -> 2", "tools: libtiny1 1 -> 2", "3 packages changed"
    )
    bench.oic("verify").succeeded("-- metadata:small", "2 packages fetched")
    bench.oic("update").succeeded("no package changed")


def test_the_first_update_says_how_much_it_found(bench: Bench) -> None:
    bench.oic("update").succeeded("solved for the first time: 6 for the image, 2 for the tools")


def test_a_lock_beside_the_recipe_is_what_is_built_without_metadata(bench: Bench, tiny: Tiny) -> None:
    bench.oic("lock").succeeded(f"{bench.place}/small.lock.json: 8 packages, built exactly so from now on")
    publish_newer(tiny)
    tiny.asked()
    other = bench.place / "other cache"
    counts = "6 packages for the image, 2 packages for the tools"
    bench.oic("verify", cache=other).succeeded(f"{counts}, as small.lock.json says")
    asked = tiny.asked()
    index = [path for path in asked if "/dists/" in path]
    assert index == [f"{RELEASE}/InRelease", INDEX], "to hold the packages against, and another one by now"
    assert sorted(set(asked) - set(index)) == sorted(tiny.package(name).path for name in (*FIRST, "other_1"))
    assert (other / "small/lock.json").read_text() == (bench.place / "small.lock.json").read_text()
    bench.oic("update", cache=other).succeeded("image: hello 1 -> 2", "small.lock.json is still what is built")
    bench.oic("lock", cache=other).succeeded()
    bench.oic("verify", cache=other).succeeded("2 packages fetched")


def test_a_lock_that_no_longer_answers_its_recipe_says_what_changed(bench: Bench) -> None:
    bench.oic("lock").succeeded()
    bench.write("systemConfig: {packages: [big], recommends: true}")
    bench.oic("solve").refused_in_one_line(
        f"{bench.place}/small.lock.json: the lock does not answer its recipe any more: "
        "recommends was False, is True; big was added to the image (doit lock image=… writes a new one",
    )
    bench.write("systemConfig: {hostname: other}")
    bench.oic("solve").succeeded("as small.lock.json says")


def test_a_lock_that_is_none_is_refused_until_it_is_made_anew(bench: Bench, tiny: Tiny) -> None:
    file = bench.place / "small.lock.json"
    bench.oic("lock").succeeded()
    good = file.read_text()
    tiny.asked()
    for text, message in {
        good[:1000]: "expected a lock, found what cannot be read: ",
        "<<<<<<< HEAD\n": "expected a lock, found what cannot be read: ",
        "[]": "expected a lock of format 3, found None",
        '{"format": 99}': "expected a lock of format 3, found 99",
        '{"format": 3}': "the lock: expected the field asked, found none",
        twice(good): "image: duplicate base",
        good.replace('"size": ', '"size": -'): "package 'base' of image: size: expected a number of bytes, found -",
        good.replace(
            '"sha256": "', '"sha256": "../'
        ): "package 'base' of image: sha256: expected 64 hexadecimal digits",
    }.items():
        file.write_text(text)
        refusal = bench.oic("solve")
        refusal.refused_in_one_line(f"{file}: {message}", "(doit lock image=… writes a new one; or delete it)")
    assert tiny.asked() == []
    bench.oic("lock").succeeded()
    assert file.read_text() == good


def test_an_update_that_fails_leaves_what_was_solved(bench: Bench, tiny: Tiny) -> None:
    bench.oic("verify").succeeded()
    before = (bench.image / "lock.json").read_bytes()
    newer = [name for name in (*FIRST, "other_1") if name != "hello_1"]
    tiny.publish(newer, age=timedelta(minutes=1))
    bench.oic("update").refused_in_one_line("image: there is no package hello")
    assert (bench.image / "lock.json").read_bytes() == before
    tiny.asked()
    bench.oic("verify").succeeded("-- metadata:small", "-- solve:small", "-- verify:small")
    assert tiny.asked() == []


def test_damaged_hand_overs_are_made_anew(bench: Bench) -> None:
    bench.oic("verify").succeeded()
    good = {file: file.read_bytes() for file in bench.image.rglob("*.json")}
    for file, content in good.items():
        file.write_bytes(content[: len(content) // 2])
    bench.oic("verify").succeeded()
    assert {file: file.read_bytes() for file in good} == good


def test_an_index_of_an_older_form_is_read_anew_and_who_signs_is_remembered(bench: Bench) -> None:
    bench.oic("verify").succeeded()
    index = bench.image / "index.json"
    good = index.read_bytes()
    entry = {"name": "tiny", "url": bench.mirror, "suite": "tiny", "signers": ["AB" * 20]}
    index.write_text(json.dumps({"blobs": [], "content": {"architecture": "amd64", "repositories": [entry]}}))
    said = bench.oic("update")
    said.succeeded("no package changed")
    assert "first use" not in said.said
    assert index.read_bytes() == good


def test_metadata_that_has_grown_old_is_noted_and_used(bench: Bench, tiny: Tiny) -> None:
    bench.oic("solve").succeeded()
    index = bench.image / "index.json"
    until = json.loads(index.read_text())["repositories"][0]["validUntil"]
    index.write_text(index.read_text().replace(until, "2020-01-01T00:00:00+00:00"))
    tiny.asked()
    note = "note: the metadata of tiny was valid until 2020-01-01"
    bench.oic("solve").succeeded(note, "run doit update", "6 packages for the image")
    assert tiny.asked() == []


def test_a_terminal_of_few_letters_is_no_obstacle(bench: Bench) -> None:
    bench.environment["PYTHONIOENCODING"] = "ascii"
    (bench.place / "small.lock.json").write_text("[]")
    bench.oic("solve").refused_in_one_line("expected a lock of format 3", "doit lock image=\\u2026 writes a new one")


def test_why_tells_every_step(bench: Bench) -> None:
    bench.oic("why", "package=libtiny1").succeeded(
        "hello 1: asked for as hello\n  libtiny1 1: hello Depends libtiny1 (>= 1)\n",
        "core 1: Essential\n  libtiny1 1: core Pre-Depends libtiny1 (>= 1)\n",
    )
    bench.oic("why", "package=libtiny").refused_in_one_line(
        "expected a package of the image, found none named libtiny (did you mean libtiny1?)"
    )
