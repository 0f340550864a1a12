"""https is verified, modern, and never left for http."""

from __future__ import annotations

import itertools
import socket
import ssl
import threading
import warnings
from typing import TYPE_CHECKING

import pytest

from oic.errors import FetchError
from oic.ospackage.http import HttpFetcher

from .conftest import QUICK, server_context
from .mirror import Mirror

if TYPE_CHECKING:
    from pathlib import Path

    from .mirror import Request

LIMIT = 10_000


def test_an_extra_authority_is_trusted(secure: Mirror, trusting: HttpFetcher) -> None:
    secure.answers["/a"] = lambda request: request.reply(200, b"body")
    for _ in range(2):
        assert trusting.fetch(secure.url("/a"), limit=LIMIT).body == b"body"
    assert secure.connections == 1


def test_an_unknown_authority_is_refused_at_once(secure: Mirror, fetcher: HttpFetcher) -> None:
    with pytest.raises(FetchError, match=r"expected a trusted TLS certificate, found: .*OIC_CA") as caught:
        fetcher.fetch(secure.url("/a"), limit=LIMIT)
    assert "attempts" not in str(caught.value)
    assert not secure.requests


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("own", "name an authority of your own in OIC_CA"),
        ("other", "is it the right host in the URL"),
        ("old", "is this machine's clock right"),
    ],
)
def test_a_bad_certificate_is_refused(name: str, reason: str, certificates: Path, trusting: HttpFetcher) -> None:
    with Mirror(server_context(certificates, name)) as server:
        with pytest.raises(FetchError, match=f"expected a trusted TLS certificate, found: .*{reason}"):
            trusting.fetch(server.url("/a"), limit=LIMIT)
        assert not server.requests


def test_tls_before_1_2_is_refused(certificates: Path, trusting: HttpFetcher) -> None:
    old = server_context(certificates, "good")
    client = ssl.create_default_context(cafile=certificates / "ca.crt")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the old version is the point
        old.minimum_version = client.minimum_version = ssl.TLSVersion.TLSv1_1
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")
    client.set_ciphers("ALL:@SECLEVEL=0")
    with Mirror(old) as server:
        with (
            socket.create_connection(("127.0.0.1", server.server_address[1])) as wire,
            client.wrap_socket(wire, server_hostname="127.0.0.1") as tls,
        ):
            assert tls.version() == "TLSv1.1"  # whoever allows it, gets it
        with pytest.raises(FetchError, match=r"TLS failed.*TLS 1\.2 or later"):
            trusting.fetch(server.url("/a"), limit=LIMIT)


def test_plain_http_behind_https_is_a_tls_failure(mirror: Mirror, fetcher: HttpFetcher) -> None:
    with pytest.raises(FetchError, match="TLS failed"):
        fetcher.fetch(mirror.url("/a").replace("http:", "https:"), limit=LIMIT)


def test_https_does_not_redirect_to_http(secure: Mirror, mirror: Mirror, trusting: HttpFetcher) -> None:
    mirror.answers["/b"] = lambda request: request.reply(200, b"body")
    secure.answers["/a"] = lambda request: request.reply(302, Location=mirror.url("/b", user="anna:s3cret@"))
    with pytest.raises(FetchError, match=r"refused a redirect to http://\*\*\*@127.0.0.1"):
        trusting.fetch(secure.url("/a"), limit=LIMIT)
    assert not mirror.requests


def test_http_may_redirect_to_https(secure: Mirror, mirror: Mirror, trusting: HttpFetcher) -> None:
    mirror.answers["/a"] = lambda request: request.reply(302, Location=secure.url("/b"))
    secure.answers["/b"] = lambda request: request.reply(200, b"body")
    assert trusting.fetch(mirror.url("/a"), limit=LIMIT).body == b"body"


def test_a_body_cut_off_under_tls_is_noticed(secure: Mirror, trusting: HttpFetcher) -> None:
    def cut_off(request: Request) -> None:
        request.head(200, Content_Length="8")
        request.socket.sendall(b"123")

    secure.answers["/a"] = cut_off
    with pytest.raises(FetchError, match="cut off"):
        trusting.fetch(secure.url("/a"), limit=LIMIT)


def test_a_trickling_handshake_is_given_up(trusting: HttpFetcher) -> None:
    over = threading.Event()

    def trickle(server: socket.socket) -> None:
        while not over.is_set():
            try:
                wire, _ = server.accept()
                with wire:
                    # the head of a handshake record of 16 KiB, then its bytes one at a time
                    for byte in itertools.chain(b"\x16\x03\x03\x40\x00", itertools.repeat(2)):
                        if over.wait(0.02):
                            break
                        wire.sendall(bytes([byte]))
            except OSError:
                continue

    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)
        thread = threading.Thread(target=trickle, args=(server,))
        thread.start()
        try:
            with pytest.raises(FetchError, match="too slow"):
                trusting.fetch(f"https://127.0.0.1:{server.getsockname()[1]}/a", limit=LIMIT)
        finally:
            over.set()
            thread.join()


@pytest.mark.parametrize("text", [None, "not a certificate"])
def test_a_file_without_a_certificate_is_an_error(text: str | None, tmp_path: Path) -> None:
    if text is not None:
        (tmp_path / "ca").write_text(text)
    with pytest.raises(FetchError, match="expected a certificate authority") as caught:
        HttpFetcher(ca=tmp_path / "ca", policy=QUICK)
    assert caught.value.where == str(tmp_path / "ca")
    assert caught.value.message.endswith("found no PEM certificate in it" if text else "No such file or directory")


def test_an_authority_may_be_named_by_the_environment(
    secure: Mirror, certificates: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secure.answers["/a"] = lambda request: request.reply(200, b"body")
    monkeypatch.setenv("OIC_CA", str(certificates / "ca.crt"))
    with HttpFetcher(policy=QUICK) as fetcher:
        assert fetcher.fetch(secure.url("/a"), limit=LIMIT).body == b"body"
    monkeypatch.setenv("OIC_CA", "ca.crt")
    with pytest.raises(FetchError, match=r"expected an absolute path, found 'ca\.crt'"):
        HttpFetcher(policy=QUICK)
