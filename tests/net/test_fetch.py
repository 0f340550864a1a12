"""A document from a mirror that behaves, and from mirrors that do not."""

from __future__ import annotations

import gzip
import itertools
import os
import socket
import threading
import time
from email.utils import formatdate
from typing import TYPE_CHECKING

import pytest

from oic.errors import FetchError
from oic.ospackage.fetch import Fetched, NotFound, redacted
from oic.ospackage.http import HttpFetcher

from .conftest import QUICK

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .mirror import Mirror, Request

LIMIT = 10_000


def test_returns_the_body_and_what_makes_the_next_request_conditional(mirror: Mirror, fetcher: HttpFetcher) -> None:
    mirror.answers["/a"] = lambda request: request.reply(200, b"body", ETag='"x"', Last_Modified="yesterday")
    found = fetcher.fetch(mirror.url("/a"), limit=LIMIT)
    assert found == Fetched(url=mirror.url("/a"), body=b"body", etag='"x"', last_modified="yesterday")


def test_a_conditional_request_may_come_back_without_a_body(mirror: Mirror, fetcher: HttpFetcher) -> None:
    mirror.answers["/a"] = lambda request: request.reply(304, ETag='"x"')
    found = fetcher.fetch(mirror.url("/a"), limit=LIMIT, etag='"x"', last_modified="yesterday")
    assert found.body is None
    assert mirror.requests[0].headers["if-none-match"] == '"x"'
    assert mirror.requests[0].headers["if-modified-since"] == "yesterday"


def test_an_unexpected_304_is_an_error(mirror: Mirror, fetcher: HttpFetcher) -> None:
    mirror.answers["/a"] = lambda request: request.reply(304)
    with pytest.raises(FetchError, match="expected HTTP 200, found 304"):
        fetcher.fetch(mirror.url("/a"), limit=LIMIT)


def test_a_content_encoding_is_not_decoded(mirror: Mirror, fetcher: HttpFetcher) -> None:
    packed = gzip.compress(b"Packages")
    mirror.answers["/a.gz"] = lambda request: request.reply(200, packed, Content_Encoding="gzip")
    assert fetcher.fetch(mirror.url("/a.gz"), limit=LIMIT).body == packed
    assert mirror.requests[0].headers["accept-encoding"] == "identity"


def test_bodies_without_a_declared_length_are_read_completely(mirror: Mirror, fetcher: HttpFetcher) -> None:
    def chunked(request: Request) -> None:
        request.head(200, Transfer_Encoding="chunked")
        request.socket.sendall(b"3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n")

    def unmeasured(request: Request) -> None:
        request.head(200, Connection="close")
        request.socket.sendall(b"abcdefg")

    mirror.answers.update({"/chunked": chunked, "/unmeasured": unmeasured})
    for path in ("/chunked", "/unmeasured"):
        assert fetcher.fetch(mirror.url(path), limit=LIMIT).body == b"abcdefg"


def test_one_connection_serves_several_requests(mirror: Mirror, fetcher: HttpFetcher) -> None:
    mirror.answers["/a"] = lambda request: request.reply(200, b"body")
    for _ in range(3):
        fetcher.fetch(mirror.url("/a"), limit=LIMIT)
    assert mirror.connections == 1


def test_a_mirror_that_is_down_is_tried_again_and_named(fetcher: HttpFetcher) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    expected = f"http://127.0.0.1:{port}/a: cannot connect: Connection refused after 3 attempts (is the mirror up, "
    with pytest.raises(FetchError) as caught:
        fetcher.fetch(f"http://127.0.0.1:{port}/a", limit=LIMIT)
    assert str(caught.value) == f"{expected}and the network?)"


def test_a_host_name_that_does_not_resolve_is_reported(fetcher: HttpFetcher) -> None:
    with pytest.raises(FetchError, match="host name cannot be resolved"):
        fetcher.fetch("http://mirror.invalid/a", limit=LIMIT)


def test_a_mirror_that_says_nothing_times_out(mirror: Mirror) -> None:
    def silent(request: Request) -> None:
        request.stopped.wait(20)

    mirror.answers["/a"] = silent
    with (
        HttpFetcher(policy=type(QUICK)(read=0.05, attempts=2, back_off=0.001)) as fetcher,
        pytest.raises(FetchError, match="timed out waiting for data after 2 attempts"),
    ):
        fetcher.fetch(mirror.url("/a"), limit=LIMIT)


def _slow_headers(request: Request) -> None:
    request.trickle(itertools.chain(b"HTTP/1.1 200 OK\r\nX: ", itertools.repeat(65)))


def _slow_continue(request: Request) -> None:
    request.trickle(itertools.cycle(b"HTTP/1.1 100 Continue\r\n\r\n"))


def _slow_body(request: Request) -> None:
    request.head(200, Content_Length="9000")
    request.trickle(bytes(9000))


def _slow_unmeasured(request: Request) -> None:
    request.head(200, Connection="close")
    request.trickle(itertools.repeat(65))


def _slow_chunk_size(request: Request) -> None:
    request.head(200, Transfer_Encoding="chunked")
    request.trickle(itertools.chain(b"3", itertools.repeat(ord(";"))))


@pytest.mark.parametrize("answer", [_slow_headers, _slow_continue, _slow_body, _slow_unmeasured, _slow_chunk_size])
def test_a_very_slow_answer_is_aborted(answer: Callable[[Request], None], mirror: Mirror, fetcher: HttpFetcher) -> None:
    mirror.answers["/a"] = answer
    with pytest.raises(FetchError, match=r"too slow: less than 1000 bytes/s for 0.3 s after 3 attempts"):
        fetcher.fetch(mirror.url("/a"), limit=LIMIT)


def test_a_truncated_body_is_fetched_again(mirror: Mirror, fetcher: HttpFetcher) -> None:
    def answer(request: Request) -> None:
        request.head(200, Content_Length="8")
        request.socket.sendall(b"12345678" if request.nth == 3 else b"1234")

    mirror.answers["/a"] = answer
    assert fetcher.fetch(mirror.url("/a"), limit=LIMIT).body == b"12345678"


def test_a_body_that_is_always_truncated_is_an_error_with_sizes(mirror: Mirror, fetcher: HttpFetcher) -> None:
    def answer(request: Request) -> None:
        request.head(200, Content_Length="8")
        request.socket.sendall(b"123")

    mirror.answers["/a"] = answer
    with pytest.raises(FetchError, match="found it cut off: received 3 bytes, expected 5 more after 3 attempts"):
        fetcher.fetch(mirror.url("/a"), limit=LIMIT)


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504, 408])
def test_transient_failures_are_retried(status: int, mirror: Mirror, fetcher: HttpFetcher) -> None:
    mirror.answers["/a"] = lambda request: request.reply(*((200, b"fine") if request.nth == 3 else (status, b"no")))
    assert fetcher.fetch(mirror.url("/a"), limit=LIMIT).body == b"fine"


def test_a_permanent_failure_is_reported_with_its_status(mirror: Mirror, fetcher: HttpFetcher) -> None:
    mirror.answers["/a"] = lambda request: request.reply(503)
    with pytest.raises(FetchError, match="found HTTP 503 after 3 attempts"):
        fetcher.fetch(mirror.url("/a"), limit=LIMIT)


def test_retry_after_is_honoured_in_both_its_forms(mirror: Mirror, fetcher: HttpFetcher) -> None:
    waits = {1: "0", 2: formatdate(0, usegmt=True)}
    mirror.answers["/a"] = lambda request: (
        request.reply(429, Retry_After=waits[request.nth]) if request.nth in waits else request.reply(200, b"fine")
    )
    assert fetcher.fetch(mirror.url("/a"), limit=LIMIT).body == b"fine"


@pytest.mark.parametrize("when", ["3600", formatdate(2**32, usegmt=True)])
def test_a_long_retry_after_is_reported_at_once(when: str, mirror: Mirror, fetcher: HttpFetcher) -> None:
    mirror.answers["/a"] = lambda request: request.reply(429, Retry_After=when)
    with pytest.raises(FetchError, match=r"HTTP 429, which asks to retry after \d+ s"):
        fetcher.fetch(mirror.url("/a"), limit=LIMIT)
    assert mirror.count("/a") == 1


@pytest.mark.parametrize("status", [404, 410])
def test_a_missing_file_is_reported_without_retry(status: int, mirror: Mirror, fetcher: HttpFetcher) -> None:
    mirror.answers["/a"] = lambda request: request.reply(status)
    with pytest.raises(NotFound, match=f"expected a file, found HTTP {status}"):
        fetcher.fetch(mirror.url("/a"), limit=LIMIT)
    assert mirror.count("/a") == 1


def test_refused_access_is_reported_without_retry_and_without_the_password(
    mirror: Mirror, fetcher: HttpFetcher
) -> None:
    mirror.answers["/a?sig=s3cret"] = lambda request: request.reply(401)
    with pytest.raises(FetchError, match="HTTP 401") as caught:
        fetcher.fetch(mirror.url("/a?sig=s3cret", user="anna:s3cret@"), limit=LIMIT)
    assert mirror.requests[0].headers["authorization"].startswith("Basic ")
    assert mirror.count("/a?sig=s3cret") == 1
    assert "s3cret" not in repr(caught.value) + str(caught.value)


def test_an_endless_body_is_cut_at_the_limit(mirror: Mirror, fetcher: HttpFetcher) -> None:
    def endless(request: Request) -> None:
        request.head(200, Connection="close")
        while not request.stopped.is_set():
            request.socket.sendall(bytes(1000))

    mirror.answers["/a"] = endless
    with pytest.raises(FetchError, match=f"expected at most {LIMIT} bytes, found more"):
        fetcher.fetch(mirror.url("/a"), limit=LIMIT)


def test_a_body_declared_too_long_is_not_even_read(mirror: Mirror, fetcher: HttpFetcher) -> None:
    mirror.answers["/a"] = lambda request: request.head(200, Content_Length=str(LIMIT + 1))
    with pytest.raises(FetchError, match=f"expected at most {LIMIT} bytes, found more"):
        fetcher.fetch(mirror.url("/a"), limit=LIMIT)
    mirror.answers["/b"] = lambda request: request.reply(200, bytes(LIMIT))
    assert fetcher.fetch(mirror.url("/b"), limit=LIMIT).body == bytes(LIMIT)


@pytest.mark.parametrize("garbage", [b"SSH-2.0-OpenSSH\r\n", b"\0\1\2\3", b"", b"HTTP/1.1 abc def\r\n\r\n"])
def test_what_is_not_http_is_an_error(garbage: bytes, mirror: Mirror, fetcher: HttpFetcher) -> None:
    mirror.answers["/a"] = lambda request: request.socket.sendall(garbage)
    with pytest.raises(FetchError, match=r"expected an HTTP answer, found a broken one.* after 3 attempts"):
        fetcher.fetch(mirror.url("/a"), limit=LIMIT)


@pytest.mark.parametrize(
    "url", ["ftp://a/b", "a/b", "http://", "http://[::1", "http://a:b/", "file://elsewhere/a", "http://a:0/"]
)
def test_what_is_no_usable_url_is_an_error(url: str, fetcher: HttpFetcher) -> None:
    with pytest.raises(FetchError, match="expected"):
        fetcher.fetch(url, limit=LIMIT)


def test_redirects_are_followed_five_deep(mirror: Mirror, fetcher: HttpFetcher) -> None:
    def onward(request: Request) -> None:
        request.reply(302, Location=str(int(request.path.removeprefix("/")) + 1))

    mirror.answers |= {f"/{step}": onward for step in range(6)}
    mirror.answers["/6"] = lambda request: request.reply(200, b"there")
    assert fetcher.fetch(mirror.url("/1"), limit=LIMIT).body == b"there"
    with pytest.raises(FetchError, match="more than 5 redirects"):
        fetcher.fetch(mirror.url("/0"), limit=LIMIT)


def test_a_redirect_to_a_file_is_refused(mirror: Mirror, fetcher: HttpFetcher) -> None:
    mirror.answers["/a"] = lambda request: request.reply(301, Location="file:///etc/passwd")
    with pytest.raises(FetchError, match="refused a redirect to file:///etc/passwd"):
        fetcher.fetch(mirror.url("/a"), limit=LIMIT)


def test_a_proxy_of_the_environment_is_used(
    mirror: Mirror, fetcher: HttpFetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", mirror.url("/"))
    mirror.answers["http://mirror.test/a"] = lambda request: request.reply(200, b"by proxy")
    assert fetcher.fetch("http://mirror.test/a", limit=LIMIT).body == b"by proxy"


def test_a_proxy_that_is_down_is_named_as_the_cause(fetcher: HttpFetcher, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    monkeypatch.setenv("http_proxy", f"http://anna:s3cret@127.0.0.1:{port}")
    with pytest.raises(FetchError, match="the proxy cannot be used: Connection refused") as caught:
        fetcher.fetch("http://mirror.test/a", limit=LIMIT)
    assert "s3cret" not in str(caught.value)


def test_closing_from_another_thread_stops_a_download(mirror: Mirror) -> None:
    asked = threading.Event()

    def silent(request: Request) -> None:
        asked.set()
        request.stopped.wait(20)

    mirror.answers["/a"] = silent
    with HttpFetcher() as fetcher:

        def end() -> None:
            asked.wait(20)
            fetcher.close()

        ender = threading.Thread(target=end)
        ender.start()
        with pytest.raises(FetchError, match="interrupted"):
            fetcher.fetch(mirror.url("/a"), limit=LIMIT)
        ender.join()


def test_closing_closes_all_connections_although_an_exception_is_kept(mirror: Mirror) -> None:
    with HttpFetcher(policy=QUICK) as fetcher, pytest.raises(NotFound) as kept:
        fetcher.fetch(mirror.url("/none"), limit=LIMIT)
    deadline = time.monotonic() + 10
    while mirror.open and time.monotonic() < deadline:
        time.sleep(0.01)
    assert (mirror.connections, mirror.open) == (1, 0)
    assert kept.value is not None


def test_a_file_url_is_read_and_conditional(tmp_path: Path, fetcher: HttpFetcher) -> None:
    file = tmp_path / "a file"
    file.write_bytes(b"body")
    found = fetcher.fetch(file.as_uri(), limit=LIMIT)
    assert found.body == b"body"
    assert fetcher.fetch(file.as_uri(), limit=LIMIT, etag=found.etag).body is None
    with pytest.raises(FetchError, match="at most 3 bytes"):
        fetcher.fetch(file.as_uri(), limit=3)


def test_a_file_url_names_a_regular_file(tmp_path: Path, fetcher: HttpFetcher) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(NotFound, match="No such file"):
        fetcher.fetch((tmp_path / "none").as_uri(), limit=LIMIT)
    for odd in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(FetchError, match="expected a regular file"):
            fetcher.fetch(odd.as_uri(), limit=LIMIT)
    with pytest.raises(FetchError, match="expected a regular file"):
        fetcher.fetch("file:///dev/zero", limit=LIMIT)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://anna:pw@host:8/p", "https://***@host:8/p"),
        ("https://to@ken@host/p", "https://***@host/p"),
        ("https://host/p?sig=pw#pw", "https://host/p?***"),
        ("file:///a/b", "file:///a/b"),
    ],
)
def test_a_redacted_url_has_no_secrets(url: str, shown: str) -> None:
    assert redacted(url) == shown
