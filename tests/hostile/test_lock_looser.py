"""A lock edited to allow more than its recipe: refused before anything is fetched, or told as what it is."""

from __future__ import annotations

import json
import subprocess
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from e2e.tiny import BASE, FIRST, MORE
from e2e.tiny_rpm import BASE as RPM_BASE
from e2e.tiny_rpm import HELLO, KEY, REPOMD, hello

from .locks import edited, older, package, replaced, trust, with_key

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any

    from e2e.bench import Bench
    from e2e.tiny import Tiny
    from e2e.tiny_rpm import TinyRpm
    from provider.deb.signed import Signer
    from provider.rpm.keys import Key


def refused(bench: Bench, *texts: str, stage: str = "solve", asked: Callable[[], list[str]] | None = None) -> None:
    """It is refused in one line that names the lock, in a cache where nothing is known; nothing was asked for."""
    if asked:
        asked()
    other = bench.place / "other cache"
    bench.oic("verify", cache=other).refused_in_one_line(f"{stage}:small failed: ", "small.lock.json: ", *texts)
    assert not asked or asked() == []
    assert not list(other.glob("store/sha256/*/*")) or stage != "solve"


def test_a_lock_that_calls_its_repository_trusted(rpm_bench: Bench, tiny_rpms: TinyRpm, tmp_path: Path) -> None:
    rpm_bench.oic("lock").succeeded()
    unsigned = tmp_path / "unsigned.rpm"
    unsigned.write_bytes(tiny_rpms.packages["hello"])
    subprocess.run(["rpmsign", "--delsign", str(unsigned)], check=True, capture_output=True)
    tiny_rpms.serve(f"{RPM_BASE}/hello.rpm", unsigned.read_bytes())

    def change(data: Any) -> None:
        data["repositories"][0]["trusted"] = True
        replaced(package(data, "hello"), unsigned.read_bytes())

    edited(rpm_bench, change)
    refused(rpm_bench, "tiny: expected a signed repository, as in the recipe, found it trusted", asked=tiny_rpms.asked)
    edited(rpm_bench, older)
    refused(rpm_bench, "tiny: expected a signed repository, as in the recipe, found it trusted", asked=tiny_rpms.asked)


def test_a_lock_with_one_more_key(
    rpm_bench: Bench, tiny_rpms: TinyRpm, resigned: dict[str, bytes], keys: dict[str, Key], tmp_path: Path
) -> None:
    rpm_bench.oic("lock").succeeded()
    own = tmp_path / "evil.asc"
    own.write_bytes(keys["foreign"].public())
    tiny_rpms.serve(f"{RPM_BASE}/hello.rpm", resigned["hello"])
    tiny_rpms.serve(f"{RPM_BASE}/evil.asc", keys["foreign"].public())
    for url in (own.as_uri(), tiny_rpms.mirror.url(f"{RPM_BASE}/evil.asc")):

        def add(data: Any, url: str = url) -> None:
            data["repositories"][0]["keys"] = data["repositories"][0]["keys"][:1]
            with_key(data, {"url": url}, keys["foreign"].public(), keys["foreign"].fingerprint)
            replaced(package(data, "hello"), resigned["hello"])

        edited(rpm_bench, add)
        refused(rpm_bench, f"tiny: expected the keys of the recipe, found {url}", asked=tiny_rpms.asked)


def test_a_lock_with_another_key_of_the_same_url(
    rpm_bench: Bench, tiny_rpms: TinyRpm, resigned: dict[str, bytes], keys: dict[str, Key]
) -> None:
    """Where the key is remembered, not even the mirror's help makes it another."""
    rpm_bench.oic("verify").succeeded()
    rpm_bench.oic("lock").succeeded()
    tiny_rpms.serve(KEY, keys["foreign"].public())
    for name, body in resigned.items():
        tiny_rpms.serve(f"{RPM_BASE}/{name}.rpm", body)

    def change(data: Any) -> None:
        with_key(data, data["repositories"][0]["keys"][0], keys["foreign"].public(), keys["foreign"].fingerprint)
        for entry in (one for entries in data["sets"].values() for one in entries):
            replaced(entry, resigned[entry["name"]])

    edited(rpm_bench, change)
    rpm_bench.oic("verify").refused_in_one_line("small.lock.json: tiny: expected the keys known from last time")
    pinned = f"{{key: '{tiny_rpms.mirror.url(KEY)}', fingerprint: {keys['own'].fingerprint}}}"
    rpm_bench.write(f"  mirrorKeys: [{pinned}]\n")
    refused(rpm_bench, "tiny: expected the keys of the recipe, found ", keys["foreign"].fingerprint)
    edited(rpm_bench, older)
    for line in ("", f"  mirrorKeys: [{pinned}]\n"):
        rpm_bench.write(line)
        rpm_bench.oic("verify").refused_in_one_line(
            f"verify:small failed: {tiny_rpms.mirror.url(KEY)}: expected the key {keys['own'].fingerprint}, found "
        )


def test_invented_signers(bench: Bench, tiny: Tiny, signers: dict[str, Signer]) -> None:
    bench.oic("lock").succeeded()
    invented = "0123456789ABCDEF" * 2 + "01234567"
    edited(bench, lambda data: data["repositories"][0].update(signers=[invented]))
    bench.oic("verify").refused_in_one_line(
        f"tiny: expected it signed by a key of the recipe, {signers['archive'].fingerprint}, found {invented}"
    )
    edited(bench, older)
    bench.oic("verify").refused_in_one_line("tiny: expected it signed by a key of the recipe, ", invented)
    edited(bench, lambda data: data["repositories"][0].update(signers=[]))
    refused(bench, "tiny: expected the signers of its index, found none", asked=tiny.asked)


LOOSER: dict[str, tuple[Callable[[Any], object], str]] = {
    "another repository": (
        lambda data: data["repositories"].append({**data["repositories"][0], "name": "evil"}),
        "expected the repositories of the recipe, found 'evil'",
    ),
    "another suite": (
        lambda data: data["repositories"][0].update(suite="sid"),
        "tiny: expected the suite 'tiny', found 'sid'",
    ),
    "another component": (
        lambda data: data["repositories"][0]["components"].append("evil"),
        "tiny: expected only the components main, found evil",
    ),
    "a package of another host": (
        lambda data: package(data, "hello").update(url="http://evil.invalid/pool/hello_1_amd64.deb"),
        "package 'hello' of image: url: expected its location below http://",
    ),
    "a package of this host": (
        lambda data: package(data, "hello").update(url="file:///etc/hostname", location="hostname"),
        "package 'hello' of image: url: expected its location below http://",
    ),
    "a location that climbs": (
        lambda data: package(data, "hello").update(location="pool/../../x"),
        "package 'hello' of image: location: expected a path below its repository",
    ),
    "a location that climbs by percent signs": (
        lambda data: package(data, "hello").update(location="pool/%2e%2e/%2e%2e/x"),
        "package 'hello' of image: location: expected a path below its repository",
    ),
    "a query": (
        lambda data: package(data, "hello").update(url=package(data, "hello")["url"] + "?file=evil"),
        "package 'hello' of image: url: expected an http(s) or file URL",
    ),
    "a name that is a path": (
        lambda data: package(data, "hello").update(name="../../x"),
        "expected name, version and architecture of a package in image, found '../../x 1 amd64'",
    ),
    "a version that is a path": (
        lambda data: package(data, "hello").update(version="1/../../x"),
        "expected name, version and architecture of a package in image, found 'hello 1/../../x amd64'",
    ),
}


@pytest.mark.parametrize("case", LOOSER)
def test_an_edited_lock_is_refused_before_anything_is_asked_for(case: str, bench: Bench, tiny: Tiny) -> None:
    change, words = LOOSER[case]
    bench.oic("lock").succeeded()
    edited(bench, change)
    refused(bench, words, asked=tiny.asked)


def test_a_whole_repository_elsewhere(bench: Bench, tiny: Tiny) -> None:
    bench.oic("lock").succeeded()
    file = bench.place / "small.lock.json"
    for other in ("http://evil.invalid/debian", (bench.place / "evil").as_uri()):
        good = file.read_text()
        file.write_text(good.replace(tiny.url, other))
        refused(bench, f"tiny: expected it at {tiny.url}, as in the recipe, found it at {other}", asked=tiny.asked)
        file.write_text(good)


def test_a_package_that_the_distribution_never_listed(bench: Bench, tiny: Tiny) -> None:
    """It lies on the mirror, and the lock has its sha256; the signed index knows nothing of it."""
    bench.oic("lock").succeeded()
    evil = tiny.package("libtiny1_2").data
    tiny.serve(f"{BASE}/pool/evil.deb", evil)

    def add(data: Any) -> None:
        more = {**package(data, "hello"), "requires": [], "name": "evil", "location": "pool/evil.deb"}
        more |= {"url": f"{tiny.url}/pool/evil.deb"}
        replaced(more, evil)
        data["sets"]["image"].append(more)

    edited(bench, add)
    for cache in (bench.cache, bench.place / "other cache"):
        bench.oic("verify", cache=cache).refused_in_one_line(
            "verify:small failed: tiny: expected the packages of its signed index, found evil 1 of sha256 "
        )


def test_another_file_under_a_listed_name(bench: Bench, tiny: Tiny) -> None:
    bench.oic("lock").succeeded()
    evil = tiny.package("hello_2").data
    tiny.serve(tiny.package("hello_1").path, evil)
    edited(bench, lambda data: replaced(package(data, "hello"), evil))
    bench.oic("verify").refused_in_one_line("tiny: expected the packages of its signed index, found hello 1 of sha256 ")


def test_an_rpm_that_the_index_does_not_list(
    rpm_bench: Bench, tiny_rpms: TinyRpm, keys: dict[str, Key], tmp_path: Path
) -> None:
    """Signed by the distribution's key, of that very name and version: once built, never published."""
    rpm_bench.oic("lock").succeeded()
    again = keys["own"].sign(hello("%post\ntrue").make(tmp_path / "again")).read_bytes()
    tiny_rpms.serve(f"{RPM_BASE}/hello.rpm", again)
    edited(rpm_bench, lambda data: replaced(package(data, "hello"), again))
    rpm_bench.oic("verify", cache=rpm_bench.place / "other").refused_in_one_line(
        "verify:small failed: tiny: expected the packages of its signed index, found hello 1.0-1 of sha256 "
    )


def test_an_index_of_the_locks_own_making(bench: Bench, tiny: Tiny, signers: dict[str, Signer]) -> None:
    """Named by digest and served below the repository, but signed by nobody of the recipe's keys."""
    evil = tiny.package("hello_2")
    tiny.publish((*FIRST, *MORE, "hello_2"), signers=(signers["foreign"],), age=timedelta(minutes=1))
    release, index = (tiny.body(f"{BASE}/dists/tiny/{name}") for name in ("InRelease", "main/binary-amd64/Packages.gz"))
    tiny.publish()
    bench.oic("lock").succeeded()
    for name, body in (("InRelease", release), ("Packages.gz", index)):
        tiny.serve(f"{BASE}/evil/{name}", body)

    def change(data: Any) -> None:
        entry = package(data, "hello")
        replaced(entry, evil.data)
        entry |= {"version": "2", "location": "pool/hello_2_amd64.deb", "url": f"{tiny.url}/pool/hello_2_amd64.deb"}
        for document, body in zip(data["indexes"]["tiny"], (release, index), strict=True):
            document["url"] = f"{tiny.url}/evil/{document['name']}{'.gz' * (document['name'] == 'Packages')}"
            replaced(document, body)

    edited(bench, change)
    bench.oic("verify").refused_in_one_line("verify:small failed: ", "found signatures by unknown keys")


def test_what_nobody_can_check_any_more_is_told_as_the_locks_word(
    bench: Bench, tiny: Tiny, signers: dict[str, Signer]
) -> None:
    """The mirror has moved on: the lock still builds, and whose word it is stands in the evidence."""
    bench.oic("lock").succeeded()
    bench.oic("verify").succeeded("8 packages, all good")
    found = f"sha256 listed by tiny, signed by {signers['archive'].fingerprint}"
    assert trust(bench) == ({found}, "file")
    tiny.publish((*FIRST, *MORE, "hello_2"), age=timedelta(minutes=1))
    other = bench.place / "other"
    bench.oic("verify", cache=other).succeeded(
        "note: the signed index of tiny could not be checked: that it lists 7 packages is as small.lock.json says"
    )
    words = "as small.lock.json says: sha256 listed by tiny, whose signed index could not be checked"
    assert trust(bench, "other") == ({words}, "file")
    (bench.place / "small.lock.json").unlink()
    bench.oic("verify", cache=other).succeeded()
    assert trust(bench, "other") == ({found}, "solve")


def test_what_of_an_rpm_is_checked_and_what_only_the_lock_says(
    rpm_bench: Bench, tiny_rpms: TinyRpm, keys: dict[str, Key], tmp_path: Path
) -> None:
    rpm_bench.oic("lock").succeeded()
    rpm_bench.oic("verify").succeeded()
    signed = f"signed by {keys['own'].fingerprint}; listed by tiny"
    assert trust(rpm_bench) == ({signed}, "file")
    tiny_rpms.publish(revision=2000)
    ran = rpm_bench.oic("verify", cache=rpm_bench.place / "other")
    ran.succeeded("5 packages, all good")
    assert "could not be checked" not in ran.said
    assert trust(rpm_bench, "other") == ({signed}, "file"), "the present index lists them as well"
    assert REPOMD in tiny_rpms.asked()
    newer = keys["own"].sign(hello(version="2.0").make(tmp_path / "newer")).read_bytes()
    tiny_rpms.publish(revision=3000, hello=newer)
    tiny_rpms.serve(HELLO, tiny_rpms.packages["hello"])  # no longer listed, and still there
    rpm_bench.oic("verify", cache=rpm_bench.place / "third").succeeded(
        "note: the signed index of tiny could not be checked: that it lists 1 packages is as small.lock.json says"
    )
    assert trust(rpm_bench, "third") == ({signed, f"{signed} as small.lock.json says"}, "file")


def test_a_lock_of_the_older_form_is_read_and_judged_by_what_it_has(bench: Bench) -> None:
    bench.oic("lock").succeeded()
    good = (bench.place / "small.lock.json").read_text()
    edited(bench, older)
    bench.oic("verify").succeeded("note: small.lock.json has an older format: doit lock image=… writes a new one")
    assert all(words.startswith("as small.lock.json says: ") for words in trust(bench)[0])
    bench.oic("lock").succeeded()
    assert json.loads((bench.place / "small.lock.json").read_text()) == json.loads(good)
