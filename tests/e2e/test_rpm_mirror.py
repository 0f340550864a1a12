"""What an rpm repository may do wrong with its metadata: one clear line, nothing kept, and the good one makes up."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from provider.rpm.keys import Key

from .tiny_rpm import KEY, PAST, PRIMARY, REPOMD, SIGNATURE, hello

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .bench import Bench
    from .tiny_rpm import TinyRpm


def refused(bench: Bench, where: str, *texts: str) -> None:
    """It is refused in one line that says where; nothing is kept, and the mirror need only be mended."""
    bench.oic("solve").refused_in_one_line(f"metadata:small failed: {where}: ", *texts)
    assert not list(bench.cache.glob("store/sha256/*/*")), "nothing unverified is kept"
    assert not (bench.image / "index.json").exists()


def goes_on(bench: Bench, tiny: TinyRpm) -> None:
    """With a good mirror the same command now succeeds."""
    tiny.publish()
    bench.oic("solve").succeeded("1 repositories, signatures good", "3 packages for the image")
    bench.keeps_nothing_unverified()


def test_a_repository_that_is_none(rpm_bench: Bench, tiny_rpms: TinyRpm) -> None:
    tiny_rpms.lose(REPOMD)
    hint = "the URL is to be that of the directory that holds repodata/"
    refused(rpm_bench, tiny_rpms.mirror.url(REPOMD), f"expected a repository, found no repomd.xml ({hint})")
    goes_on(rpm_bench, tiny_rpms)


def test_a_repository_that_is_not_signed(rpm_bench: Bench, tiny_rpms: TinyRpm) -> None:
    where = tiny_rpms.mirror.url(SIGNATURE)
    tiny_rpms.lose(SIGNATURE)
    refused(rpm_bench, where, "expected a signature, found none (if only its packages are signed: signedMetadata")
    tiny_rpms.serve(SIGNATURE, b"<html>Please log in</html>\n")
    refused(rpm_bench, where, "expected a file of a repository, found a web page (is the URL right? does the network")
    goes_on(rpm_bench, tiny_rpms)


def test_a_stale_signature(rpm_bench: Bench, tiny_rpms: TinyRpm) -> None:
    stale = tiny_rpms.bodies[SIGNATURE]
    tiny_rpms.publish(revision=2000)
    tiny_rpms.serve(SIGNATURE, stale)
    refused(rpm_bench, tiny_rpms.mirror.url(SIGNATURE), "found a signature that does not match the text")
    goes_on(rpm_bench, tiny_rpms)


def test_a_foreign_signature(rpm_bench: Bench, tiny_rpms: TinyRpm, keys: dict[str, Key]) -> None:
    foreign = keys["foreign"]
    tiny_rpms.sign(foreign)
    tiny_rpms.serve(KEY, keys["own"].public())
    words = f"found signatures by unknown keys {foreign.fingerprint[-16:]} (is it the right key?)"
    refused(rpm_bench, tiny_rpms.mirror.url(SIGNATURE), f"expected a signature by a key of this repository, {words}")
    goes_on(rpm_bench, tiny_rpms)


def test_a_key_that_no_longer_counts(
    rpm_bench: Bench, tiny_rpms: TinyRpm, keys: dict[str, Key], tmp_path: Path
) -> None:
    where = tiny_rpms.mirror.url(SIGNATURE)
    tiny_rpms.sign(keys["expired"], f"--faked-system-time={PAST}")
    refused(rpm_bench, where, "found a signature by an expired key")
    revoked = Key(home=tmp_path / "revoked").make()
    signature = revoked.detached(tiny_rpms.bodies[REPOMD], "--armor")
    tiny_rpms.serve(SIGNATURE, signature)
    tiny_rpms.serve(KEY, revoked.revoke().public())
    refused(rpm_bench, where, "found a signature by a revoked key")
    goes_on(rpm_bench, tiny_rpms)


def test_a_key_that_is_none(rpm_bench: Bench, tiny_rpms: TinyRpm, keys: dict[str, Key]) -> None:
    tiny_rpms.lose(KEY)
    refused(rpm_bench, tiny_rpms.mirror.url(KEY), "expected a file, found HTTP 404")
    tiny_rpms.serve(KEY, keys["own"].public().replace(b"-----BEGIN", b"-----END", 1))
    refused(rpm_bench, tiny_rpms.mirror.url(KEY), "expected an OpenPGP key, found none")
    tiny_rpms.serve(KEY, _with_another_sum(keys["own"].public()))
    refused(rpm_bench, tiny_rpms.mirror.url(KEY), "expected an OpenPGP key, found a damaged one")
    goes_on(rpm_bench, tiny_rpms)


def _with_another_sum(armored: bytes) -> bytes:
    """Return a key whose checksum, RFC 4880 section 6.1, is not its own."""
    head, _, tail = armored.rpartition(b"\n=")
    return head + b"\n=" + (b"AAAA" if tail[:4] != b"AAAA" else b"BBBB") + tail[4:]


def test_of_several_keys_those_that_are_there_count(rpm_bench: Bench, tiny_rpms: TinyRpm) -> None:
    gone, further = (tiny_rpms.mirror.url(f"{KEY}.{name}") for name in ("gone", "lost"))
    rpm_bench.write(f"  mirrorKeys: ['{gone}', '{tiny_rpms.mirror.url(KEY)}']\n")
    words = f"note: this key of tiny is skipped: {gone}: expected a file, found HTTP 404"
    rpm_bench.oic("verify").succeeded(words, "5 packages, all good")
    rpm_bench.write(f"  mirrorKeys: ['{gone}', '{further}']\n")
    words = f"tiny: expected a key file, found none of {gone}, {further} (are the URLs right?)"
    rpm_bench.oic("solve").refused_in_one_line(words)


def test_metadata_that_is_not_what_was_signed(rpm_bench: Bench, tiny_rpms: TinyRpm) -> None:
    where, good = tiny_rpms.mirror.url(PRIMARY), tiny_rpms.bodies[PRIMARY]
    tiny_rpms.serve(PRIMARY, good[:-1] + b"!")
    refused(rpm_bench, where, "expected sha256 ", "the mirror may be in the middle of an update: try again later")
    tiny_rpms.serve(PRIMARY, good + bytes(10**6))
    refused(rpm_bench, where, f"expected at most {len(good)} bytes, found more")
    tiny_rpms.lose(PRIMARY)
    refused(rpm_bench, where, "expected a file, found HTTP 404")
    goes_on(rpm_bench, tiny_rpms)


LAUGHS = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>'
SIGNED_NONSENSE: dict[str, Callable[[bytes], bytes]] = {
    "expected hello-1.0-1.noarch below the repository, found it at '../../hello.rpm'": lambda plain: plain.replace(
        b'href="hello', b'href="../../hello'
    ),
    "expected a sha256 checksum of extra-1.0-1.noarch, found md5:00000000": lambda plain: re.sub(
        rb'type="sha256"( .*>)[0-9a-f]{64}', rb'type="md5"\g<1>' + b"0" * 32, plain
    ),
}


def test_metadata_that_is_signed_and_no_xml(rpm_bench: Bench, tiny_rpms: TinyRpm) -> None:
    tiny_rpms.publish(change=lambda plain: plain.replace(b"?>", b"?>" + LAUGHS, 1))
    rpm_bench.oic("solve").refused_in_one_line(
        f"metadata:small failed: {tiny_rpms.mirror.url(PRIMARY)}: expected plain XML, found a document type or entity"
    )
    assert not (rpm_bench.image / "index.json").exists()
    goes_on(rpm_bench, tiny_rpms)


@pytest.mark.slow
def test_entries_that_are_signed_and_no_good(rpm_bench: Bench, tiny_rpms: TinyRpm) -> None:
    """They cost the packages that they are of, which the recipe wants here, or the repository where all are such."""
    for number, (words, change) in enumerate(SIGNED_NONSENSE.items()):
        tiny_rpms.publish(revision=1000 + number, change=change)
        rpm_bench.forget_metadata()
        rpm_bench.oic("solve").refused_in_one_line("small failed: ", "tiny", words)
    tiny_rpms.publish(revision=2000)
    rpm_bench.oic("update").succeeded()


def test_a_list_of_packages_that_is_none(rpm_bench: Bench, tiny_rpms: TinyRpm) -> None:
    """Signed and all: were it taken, no package would be there until somebody thought of an update."""
    tiny_rpms.publish(change=lambda plain: re.sub(b"<(/?)metadata", rb"<\1filelists", plain))
    refused(rpm_bench, tiny_rpms.mirror.url(PRIMARY), "expected <metadata>, found <filelists>")
    goes_on(rpm_bench, tiny_rpms)


def test_a_package_that_is_not_there_yet(rpm_bench: Bench, tiny_rpms: TinyRpm) -> None:
    """What was read stays read: the way on is said, and is enough."""
    entry = re.compile(rb'<package type="rpm">\s*<name>extra<.*?</package>', re.DOTALL)
    tiny_rpms.publish(change=lambda plain: entry.sub(b"", plain))
    way = "the repositories are as last read: doit update image=small.yml reads anew"
    rpm_bench.oic("solve").refused_in_one_line(f"solve:small failed: tools: there is no package extra ({way})")
    tiny_rpms.publish(revision=2000)
    rpm_bench.oic("update").succeeded()
    rpm_bench.oic("solve").succeeded("-- metadata:small", "2 packages for the tools")


def test_an_authority_nobody_trusts(rpm_bench: Bench, tiny_rpms: TinyRpm) -> None:
    authority = rpm_bench.environment.pop("OIC_CA")
    refused(rpm_bench, tiny_rpms.mirror.url(KEY), "expected a trusted TLS certificate, found: ", "OIC_CA")
    rpm_bench.environment["OIC_CA"] = str(rpm_bench.place / "gone.crt")
    refused(rpm_bench, str(rpm_bench.place / "gone.crt"), "expected a certificate authority, found No such file")
    assert tiny_rpms.asked() == []
    rpm_bench.environment["OIC_CA"] = authority
    goes_on(rpm_bench, tiny_rpms)


def test_older_metadata_is_no_update(rpm_bench: Bench, tiny_rpms: TinyRpm) -> None:
    tiny_rpms.publish(revision=2000)
    rpm_bench.oic("solve").succeeded()
    before = (rpm_bench.image / "lock.json").read_bytes()
    tiny_rpms.publish(revision=1000)
    rpm_bench.oic("update").refused_in_one_line(tiny_rpms.mirror.url(REPOMD), "expected metadata no older than")
    assert (rpm_bench.image / "lock.json").read_bytes() == before
    rpm_bench.oic("solve").succeeded("-- solve:small")


def test_an_update_signed_by_another_key_says_so(rpm_bench: Bench, tiny_rpms: TinyRpm, keys: dict[str, Key]) -> None:
    """Packages that the former key signed need it still: the repository gives both."""
    rpm_bench.oic("solve").succeeded()
    own, following = keys["own"].fingerprint, keys["next"].fingerprint
    tiny_rpms.publish(revision=2000, key=keys["next"])
    words = f"tiny: expected signatures by the keys known from last time, {own}, found one by {following} (doit update"
    rpm_bench.oic("update").refused_in_one_line(words, "keys=new takes its new keys")
    rpm_bench.oic("update", "keys=new").succeeded(
        f"tiny: the keys of {tiny_rpms.mirror.url(KEY)}: {own} -> {following}",
        f"tiny: signed by {own} -> {following}",
        "no package changed",
    )
    rpm_bench.oic("verify").refused("verify:small failed: ", "hello 1.0-1: ", f"unknown keys {own[-16:]}")
    tiny_rpms.serve(KEY, keys["own"].public() + keys["next"].public())
    rpm_bench.oic("update").succeeded(
        f"has another key, {own}, which does not count: doit update", "no package changed"
    )
    rpm_bench.oic("update", "keys=new").succeeded("no package changed")
    rpm_bench.oic("verify").succeeded("5 packages, all good")


def test_an_update_names_a_package_that_is_another_file_of_its_version(
    rpm_bench: Bench, tiny_rpms: TinyRpm, keys: dict[str, Key], tmp_path: Path
) -> None:
    rpm_bench.oic("verify").succeeded()
    built_again = keys["own"].sign(hello("%post\ntrue").make(tmp_path / "again")).read_bytes()
    tiny_rpms.publish(revision=2000, hello=built_again)
    rpm_bench.oic("update").succeeded("image: hello 1.0-1 is another file than before", "1 packages changed")
    rpm_bench.oic("verify").succeeded("1 packages fetched")
