"""A mirror that brings its own key, re-signed whole by a foreign one: refused, unless somebody vouches for the key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from e2e.tiny import BASE
from e2e.tiny_rpm import KEY, REPOMD

if TYPE_CHECKING:
    from e2e.bench import Bench
    from e2e.tiny import Tiny
    from e2e.tiny_rpm import TinyRpm
    from provider.deb.signed import Signer
    from provider.rpm.keys import Key

PUBLIC = f"{BASE}/public.gpg"


def serve_key(tiny: Tiny, *signers: Signer) -> str:
    """Serve a file of these keys; return its URL."""
    tiny.serve(PUBLIC, b"".join((signer.home / "public.gpg").read_bytes() for signer in signers))
    return tiny.mirror.url(PUBLIC)


def test_an_rpm_mirror_re_signed_whole(
    rpm_bench: Bench, tiny_rpms: TinyRpm, resigned: dict[str, Any], keys: dict[str, Key]
) -> None:
    own, foreign, url = keys["own"].fingerprint, keys["foreign"].fingerprint, tiny_rpms.mirror.url(KEY)
    first = rpm_bench.oic("verify")
    first.succeeded("5 packages, all good")
    before = (rpm_bench.image / "lock.json").read_bytes()
    tiny_rpms.publish(revision=2000, key=keys["foreign"], **resigned)
    refusal = f"tiny: expected signatures by the keys known from last time, {own}, found one by {foreign} (doit update"
    rpm_bench.oic("update").refused_in_one_line(f"update:small failed: {refusal}", "keys=new takes its new keys")
    first.succeeded(f"note: tiny trusts the key {own} of {url} on first use")
    (rpm_bench.image / "index.json").unlink()
    rpm_bench.oic("verify").refused_in_one_line(f"metadata:small failed: {refusal}")
    assert (rpm_bench.image / "lock.json").read_bytes() == before
    rpm_bench.oic("update", "keys=new").succeeded(f"tiny: the keys of {url}: {own} -> {foreign}", f"{own} -> {foreign}")
    rpm_bench.oic("verify").succeeded("5 packages, all good")
    tiny_rpms.publish(revision=3000)
    rpm_bench.oic("update").refused_in_one_line(f"known from last time, {foreign}, found one by {own}")


def test_a_kept_lock_remembers_the_keys_on_another_host(
    rpm_bench: Bench, tiny_rpms: TinyRpm, resigned: dict[str, Any], keys: dict[str, Key]
) -> None:
    rpm_bench.oic("lock").succeeded()
    tiny_rpms.publish(revision=2000, key=keys["foreign"], **resigned)
    other = rpm_bench.place / "other cache"
    rpm_bench.oic("update", cache=other).refused_in_one_line("the keys known from last time", keys["own"].fingerprint)
    rpm_bench.oic("lock", cache=other).refused_in_one_line("the keys known from last time", keys["own"].fingerprint)


def test_a_key_slipped_in_beside_the_known_one_never_counts(
    rpm_bench: Bench, tiny_rpms: TinyRpm, keys: dict[str, Key]
) -> None:
    own, foreign = keys["own"], keys["foreign"]
    rpm_bench.oic("solve").succeeded()
    tiny_rpms.serve(KEY, own.public() + foreign.public())
    note = f"has another key, {foreign.fingerprint}, which does not count: doit update image=… keys=new"
    rpm_bench.oic("update").succeeded(note, "no package changed")
    tiny_rpms.sign(foreign)
    tiny_rpms.serve(KEY, own.public() + foreign.public())
    rpm_bench.oic("update").refused_in_one_line(
        f"known from last time, {own.fingerprint}, found one by {foreign.fingerprint}"
    )


def test_an_rpm_key_over_plain_http_counts_by_its_fingerprint_alone(
    rpm_bench: Bench, plain_rpms: TinyRpm, resigned: dict[str, Any], keys: dict[str, Key]
) -> None:
    """Else the first build of all takes whatever somebody on the way has signed."""
    own, foreign, url = keys["own"].fingerprint, keys["foreign"].fingerprint, plain_rpms.mirror.url(KEY)
    rpm_bench.write(mirror=plain_rpms.url)
    rpm_bench.oic("verify").refused_in_one_line(
        f"metadata:small failed: {url}: expected a key by https, or its fingerprint, found http alone (give it with"
    )
    assert REPOMD not in plain_rpms.asked()
    spaced = " ".join(own[at : at + 4].lower() for at in range(0, 40, 4))
    rpm_bench.write(f"  mirrorKeys: [{{key: '{url}', fingerprint: {spaced}}}]\n", mirror=plain_rpms.url)
    rpm_bench.oic("verify").succeeded("5 packages, all good")
    plain_rpms.publish(revision=2000, key=keys["foreign"], **resigned)
    expected = f"{url}: expected the key {own}, found {foreign} (the file is another one than the fingerprint"
    rpm_bench.oic("update").refused_in_one_line(expected)
    rpm_bench.oic("verify", cache=rpm_bench.place / "first").refused_in_one_line(expected)
    plain_rpms.serve(KEY, keys["foreign"].public() + keys["own"].public())
    rpm_bench.oic("update").refused_in_one_line("found signatures by unknown keys", foreign[-16:])
    rpm_bench.oic("update", "keys=new").refused_in_one_line("found signatures by unknown keys", foreign[-16:])


def test_a_deb_mirror_re_signed_whole(tls_bench: Bench, tls_tiny: Tiny, signers: dict[str, Signer]) -> None:
    own, foreign = signers["archive"], signers["foreign"]
    url = serve_key(tls_tiny, own)
    tls_bench.write(f"  mirrorKeys: ['{url}']\n")
    first = tls_bench.oic("verify")
    serve_key(tls_tiny, foreign)
    tls_tiny.publish(signers=(foreign,), Version="evil")
    refusal = f"known from last time, {own.fingerprint}, found one by {foreign.fingerprint}"
    tls_bench.oic("update").refused_in_one_line(refusal, "keys=new")
    first.succeeded(f"note: tiny trusts the key {own.fingerprint} of {url} on first use")
    tls_bench.oic("update", "keys=new").succeeded(f"tiny: signed by {own.fingerprint} -> {foreign.fingerprint}")


def test_a_deb_key_over_plain_http_counts_by_its_fingerprint_alone(
    bench: Bench, tiny: Tiny, signers: dict[str, Signer]
) -> None:
    own, foreign = signers["archive"], signers["foreign"]
    url = serve_key(tiny, own)
    bench.write(f"  mirrorKeys: ['{url}']\n")
    bench.oic("solve").refused_in_one_line("expected a key by https, or its fingerprint, found http alone")
    bench.write(f"  mirrorKeys: [{{key: '{url}', fingerprint: [{foreign.fingerprint}, {own.fingerprint}]}}]\n")
    bench.oic("verify").succeeded("8 packages, all good")
    serve_key(tiny, own, foreign)
    tiny.publish(signers=(foreign,))
    bench.oic("update").succeeded(f"tiny: signed by {own.fingerprint} -> {foreign.fingerprint}")
    bench.write(f"  mirrorKeys: [{{key: '{url}', fingerprint: {own.fingerprint}}}]\n")
    bench.oic("verify").refused_in_one_line("found signatures by unknown keys", foreign.fingerprint[-16:])
    serve_key(tiny, foreign)
    bench.oic("verify").refused_in_one_line(f"expected the key {own.fingerprint}, found {foreign.fingerprint}")


def test_a_file_of_this_host_is_its_word(bench: Bench, tiny: Tiny, signers: dict[str, Signer]) -> None:
    file = bench.place / "keyring.gpg"
    file.write_bytes((signers["archive"].home / "public.gpg").read_bytes())
    bench.write(f"  mirrorKeys: ['{file}']\n")
    said = bench.oic("verify")
    said.succeeded("8 packages, all good")
    assert "first use" not in said.said
    file.write_bytes((signers["foreign"].home / "public.gpg").read_bytes())
    bench.oic("verify").refused_in_one_line("verify:small failed: tiny: expected it signed by a key of the recipe, ")
    tiny.publish(signers=(signers["foreign"],))
    bench.oic("update").succeeded("tiny: signed by ", "no package changed")
    bench.oic("verify").succeeded("8 packages, all good")


def test_keys_is_a_word_of_one_value(bench: Bench) -> None:
    bench.oic("update", "keys=old").refused_in_one_line("expected keys=new, by which update takes", "keys=old")
