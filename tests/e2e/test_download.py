"""What a mirror may do wrong with packages: the good are kept, the bad get no name, the next run fetches the rest."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from .bench import HURRIED
from .tiny import FIRST

if TYPE_CHECKING:
    from collections.abc import Callable

    from net.mirror import Request

    from .bench import Bench
    from .tiny import Tiny

PACKAGES = len(FIRST) + 1
"""Those, and ``other``."""


def goes_on(bench: Bench, tiny: Tiny, name: str) -> Request:
    """With a good mirror the next run fetches this package and nothing else; return the request."""
    tiny.publish()
    tiny.asked()
    bench.oic("verify").succeeded("1 packages fetched", f"{PACKAGES - 1} were there")
    (request,) = tiny.mirror.requests
    assert request.path == tiny.package(name).path
    return request


def changed(tiny: Tiny, change: Callable[[bytes], bytes]) -> str:
    """Serve ``hello`` otherwise than indexed; return its URL."""
    package = tiny.package("hello_1")
    tiny.serve(package.path, change(package.data))
    return tiny.mirror.url(package.path)


CHANGED = "the mirror serves another file than its index says: try doit update"


def test_a_package_that_was_replaced(bench: Bench, tiny: Tiny) -> None:
    url = changed(tiny, lambda data: data[:-1] + b"!")
    digest = bench.digest("hello")
    bench.oic("verify").refused_in_one_line(f"download:small failed: hello 1: {url}: expected sha256 {digest}", CHANGED)
    assert not list(bench.cache.rglob(digest))
    goes_on(bench, tiny, "hello_1")


def test_a_package_that_is_too_long(bench: Bench, tiny: Tiny) -> None:
    url = changed(tiny, lambda data: data + b"!")
    size = len(tiny.package("hello_1").data)
    bench.oic("verify").refused_in_one_line(f"hello 1: {url}: expected {size} bytes, found {size + 1}", CHANGED)
    goes_on(bench, tiny, "hello_1")


def test_a_package_that_is_gone(bench: Bench, tiny: Tiny) -> None:
    del tiny.mirror.answers[tiny.package("hello_1").path]
    hint = "superseded on the mirror: run doit update image=…"
    bench.oic("verify").refused_in_one_line("hello 1: ", "expected a file, found HTTP 404", hint)
    goes_on(bench, tiny, "hello_1")


def test_a_package_that_is_cut_off_is_gone_on_with(bench: Bench, tiny: Tiny) -> None:
    bench.write("systemConfig: {packages: [big]}")
    package = tiny.package("big_1")

    def cut(request: Request) -> None:
        request.head(200, Content_Length=str(len(package.data)), ETag='"x"')
        request.socket.sendall(package.data[:700_000])

    tiny.mirror.answers[package.path] = cut
    size = len(package.data)
    said = bench.oic("verify", program=HURRIED)
    cut_off = f"expected the whole body, found it cut off: received 700000 bytes, expected {size - 700_000} more"
    said.refused_in_one_line("big 1: ", cut_off)
    tiny.publish()
    tiny.asked()
    bench.oic("verify").succeeded(f"1 packages fetched ({(size - 700_000) / 1e6:.1f} MB), {PACKAGES} were there")


def test_every_bad_package_is_named(bench: Bench, tiny: Tiny) -> None:
    changed(tiny, lambda data: data[:-1] + b"!")
    del tiny.mirror.answers[tiny.package("other_1").path]
    bench.oic("verify").refused(f"2 of {PACKAGES} packages could not be downloaded", "\nhello 1: ", "\nother 1: ")


def test_a_package_that_is_as_signed_and_no_package(bench: Bench, tiny: Tiny) -> None:
    tiny.packages = {**tiny.packages, "tools_1": replace(tiny.package("tools_1"), data=b"garbage")}
    tiny.publish()
    bench.oic("chroot").refused_in_one_line(
        "verify:small failed: tools 1: ", "expected a deb package, found a file that"
    )


def test_a_package_damaged_in_the_store_is_refused_and_fetched_again(bench: Bench, tiny: Tiny) -> None:
    bench.oic("download").succeeded()
    blob = next((bench.cache / "store/sha256").rglob(bench.digest("hello")))
    blob.chmod(0o644)
    blob.write_bytes(blob.read_bytes()[:-1] + b"!")
    hint = "it was removed; build again to download it"
    bench.oic("verify").refused_in_one_line("verify:small failed: hello 1: ", "expected sha256", hint)
    goes_on(bench, tiny, "hello_1")
