"""What a mirror may do wrong with its metadata: one clear line, nothing lost, and a good mirror makes up for it."""

from __future__ import annotations

import ssl
import subprocess
from datetime import timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

from net.mirror import Mirror

from .bench import HURRIED
from .tiny import BASE, INDEX, RELEASE

if TYPE_CHECKING:
    from collections.abc import Callable

    from net.mirror import Request
    from provider.deb.signed import Signer

    from .bench import Bench
    from .tiny import Tiny

IN_RELEASE = f"{RELEASE}/InRelease"


def goes_on(bench: Bench, tiny: Tiny) -> None:
    """With a good mirror the same command now succeeds."""
    assert not (bench.image / "index.json").exists(), "what failed left no hand-over"
    tiny.publish()
    bench.oic("solve").succeeded("signatures good")


def trickle(request: Request) -> None:
    request.head(200, Content_Length="100000")
    request.trickle(b"-" * 100_000)


def cut_off(request: Request) -> None:
    request.head(200, Content_Length="100000")
    request.socket.sendall(b"-----BEGIN")


def in_trouble(request: Request) -> None:
    request.reply(503)


def gone(request: Request) -> None:
    request.reply(404)


def a_login_page(request: Request) -> None:
    request.reply(200, b"<html>Please log in</html>\n")


def elsewhere(request: Request) -> None:
    request.reply(302, Location="file:///etc/hostname")


def in_circles(request: Request) -> None:
    request.reply(302, Location=IN_RELEASE)


ANSWERS: dict[Callable[[Request], None], str] = {
    trickle: "the mirror is too slow: less than 1000 bytes/s for 0.3 s after 2 attempts",
    cut_off: "expected the whole body, found it cut off",
    in_trouble: "expected a file, found HTTP 503 after 2 attempts (the mirror has a problem: try again later)",
    gone: "/dists/tiny: expected a Release file, found neither InRelease nor Release",
    a_login_page: "expected a file of a repository, found a web page (is the URL right? does the network require a",
    elsewhere: "refused a redirect to file:///etc/hostname (use that URL in the recipe if it is the right one)",
    in_circles: "expected a file, found more than 5 redirects",
}  # fmt: skip


def test_a_mirror_that_answers_badly(bench: Bench, tiny: Tiny) -> None:
    for answer, message in ANSWERS.items():
        tiny.mirror.answers[IN_RELEASE] = answer
        bench.oic("solve", program=HURRIED).refused_in_one_line("metadata:small failed: ", tiny.url, message)
    goes_on(bench, tiny)


def test_a_mirror_that_is_tried_again_is_named_once(bench: Bench, tiny: Tiny) -> None:
    tiny.mirror.answers[IN_RELEASE] = in_trouble
    said = bench.oic("solve", program=HURRIED).said
    assert said.count("  127.0.0.1: expected a file, found HTTP 503; trying again\n") == 1, said


def test_a_mirror_that_is_down(bench: Bench, tiny: Tiny) -> None:
    down = "http://127.0.0.1:1/debian"
    bench.write(mirror=down)
    said = bench.oic("solve", program=HURRIED)
    said.refused_in_one_line(f"{down}/dists/tiny/InRelease: cannot connect: Connection refused", "is the mirror up")
    bench.write()
    goes_on(bench, tiny)


def test_a_redirect_to_another_mirror_is_followed(bench: Bench, tiny: Tiny) -> None:
    other = tiny.mirror.answers[IN_RELEASE]
    tiny.mirror.answers["/elsewhere/InRelease"] = other
    tiny.mirror.answers[IN_RELEASE] = lambda request: request.reply(302, Location="/elsewhere/InRelease")
    bench.oic("metadata").succeeded("signatures good")


def test_a_mirror_over_https(bench: Bench, tiny: Tiny) -> None:
    certificate, key = bench.place / "own.crt", bench.place / "own.key"
    subject = ["-subj", "/CN=own", "-addext", "subjectAltName=IP:127.0.0.1"]
    argv = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", *subject]
    subprocess.run([*argv, "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with Mirror(context) as secure:
        bench.write(mirror=secure.url("/debian"))
        untrusted = "expected a trusted TLS certificate, found: "
        bench.oic("solve").refused_in_one_line(secure.url(IN_RELEASE), untrusted)
        bench.environment["SSL_CERT_FILE"] = str(certificate)
        plain = tiny.mirror.url(IN_RELEASE)
        secure.answers[IN_RELEASE] = lambda request: request.reply(302, Location=plain)
        bench.oic("solve").refused_in_one_line(secure.url(IN_RELEASE), f"refused a redirect to {plain}")
        secure.answers = tiny.mirror.answers
        bench.oic("verify").succeeded("8 packages, all good")
    assert tiny.asked() == []


def test_a_repository_signed_by_another_key(bench: Bench, tiny: Tiny, signers: dict[str, Signer]) -> None:
    tiny.publish(signers=(signers["foreign"],))
    foreign = signers["foreign"].fingerprint[-16:]
    wrong = f"expected a signature by a key of this repository, found signatures by unknown keys {foreign}"
    bench.oic("solve").refused_in_one_line(tiny.mirror.url(IN_RELEASE), wrong, "(is it the right key?)")
    goes_on(bench, tiny)


def test_a_second_signature_by_a_stranger(bench: Bench, tiny: Tiny, signers: dict[str, Signer]) -> None:
    tiny.publish(signers=(signers["archive"], signers["foreign"]))
    foreign = signers["foreign"].fingerprint[-16:]
    message = f"expected signatures by this repository's keys only, found another by unknown key {foreign}"
    bench.oic("solve").refused_in_one_line(tiny.mirror.url(IN_RELEASE), message, "upgrade its keyring package")
    goes_on(bench, tiny)


def _before(text: bytes) -> bytes:
    return b"Suite: tiny\n" + text


def _after(text: bytes) -> bytes:
    return text + b"SHA256:\n"


def _altered(text: bytes) -> bytes:
    return text.replace(b"Components: main", b"Components: evil")


DOCTORED = {
    _before: "expected nothing outside the signed text, found more",
    _after: "expected nothing outside the signed text, found more",
    _altered: "found a signature that does not match the text",
}


def test_an_inrelease_that_was_doctored(bench: Bench, tiny: Tiny) -> None:
    good = tiny.body(IN_RELEASE)
    for change, message in DOCTORED.items():
        tiny.serve(IN_RELEASE, change(good))
        bench.oic("solve").refused_in_one_line(tiny.mirror.url(IN_RELEASE), message)
        assert not (bench.cache / "store").exists(), "nothing unverified is kept"
    goes_on(bench, tiny)


def test_a_release_that_is_another_than_asked_for(bench: Bench, tiny: Tiny) -> None:
    until, to_come = tiny.now - timedelta(minutes=1), tiny.now + timedelta(days=2)
    too_late = f"expected metadata that is valid now, found it valid until {until:%Y-%m-%d %H:%M}"
    cases: tuple[tuple[dict[str, Any], str], ...] = (
        ({"Valid_Until": format_datetime(until)}, f"{too_late} (the mirror is out of date, or the clock is wrong)"),
        ({"Suite": "testing", "Codename": "large"}, "expected suite tiny, found testing alias large"),
        ({"Date": format_datetime(to_come)}, "expected a date in the past, found"),
    )
    for fields, message in cases:
        tiny.publish(**fields)
        bench.oic("solve").refused_in_one_line(tiny.mirror.url(IN_RELEASE), message)
    goes_on(bench, tiny)


def test_an_index_of_yesterday_is_no_update(bench: Bench, tiny: Tiny) -> None:
    bench.oic("solve").succeeded()
    before = (bench.image / "lock.json").read_bytes()
    tiny.publish(age=timedelta(days=2))
    bench.oic("update").refused_in_one_line("expected metadata no older than", "the mirror is behind or serves an old")
    assert (bench.image / "lock.json").read_bytes() == before
    bench.oic("solve").succeeded("-- solve:small")


def endless(request: Request) -> None:
    request.head(200)
    while True:
        request.socket.sendall(b"-" * 65536)


def test_an_index_that_is_not_the_one_signed(bench: Bench, tiny: Tiny) -> None:
    url, good = tiny.mirror.url(INDEX), tiny.body(INDEX)
    tiny.serve(INDEX, good[:-1] + b"!")
    bench.oic("solve").refused_in_one_line(url, "expected sha256", "in the middle of an update")
    tiny.mirror.answers[INDEX] = endless
    bench.oic("solve").refused_in_one_line(url, f"expected at most {len(good)} bytes, found more")
    tiny.publish(announced=100)
    bench.oic("solve").refused_in_one_line(url, "expected the index to decompress to at most 100 bytes, found more")
    goes_on(bench, tiny)


def test_a_mirror_without_the_component(bench: Bench, tiny: Tiny) -> None:
    bench.write(mirror=f"{tiny.mirror.url('')}/nothing")
    bench.oic("solve").refused_in_one_line("/nothing/dists/tiny: expected a Release file, found neither")
    assert BASE not in "".join(tiny.asked())
