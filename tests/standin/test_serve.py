"""The server sends whole files, parts of files and errors, over TLS with a certificate of its own authority."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from oic.errors import FetchError
from oic.ospackage.fetch import NotFound
from oic.ospackage.http import HttpFetcher, RetryPolicy

from .serve import Served, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BODY = bytes(range(256)) * 1000


@pytest.fixture(autouse=True)
def _own_network(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "requests_ca_bundle", "curl_ca_bundle"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree/file.rpm").write_bytes(BODY)
    with serving(tmp_path / "tree") as made:
        yield made


def test_a_file_is_fetched(served: Served) -> None:
    with HttpFetcher(ca=served.ca) as fetcher:
        assert fetcher.fetch(f"{served.url}/file.rpm", limit=len(BODY)).body == BODY


def test_an_unchanged_file_is_not_sent_again(served: Served) -> None:
    with HttpFetcher(ca=served.ca) as fetcher:
        first = fetcher.fetch(f"{served.url}/file.rpm", limit=len(BODY))
        again = fetcher.fetch(f"{served.url}/file.rpm", limit=len(BODY), last_modified=first.last_modified)
        assert again.body is None


def test_a_download_is_resumed(served: Served, tmp_path: Path) -> None:
    part = tmp_path / "part"
    part.write_bytes(BODY[:1000])
    gained: list[int] = []
    with HttpFetcher(ca=served.ca) as fetcher:
        fetcher.fetch_file(f"{served.url}/file.rpm", part, size=len(BODY), report=gained.append)
    assert part.read_bytes() == BODY
    assert sum(gained) == len(BODY) - 1000


def test_a_missing_file_is_not_found(served: Served) -> None:
    with HttpFetcher(ca=served.ca) as fetcher, pytest.raises(NotFound):
        fetcher.fetch(f"{served.url}/other", limit=10)


def test_a_client_without_its_authority_does_not_trust_it(served: Served) -> None:
    with (
        HttpFetcher(policy=RetryPolicy(attempts=1)) as fetcher,
        pytest.raises(FetchError, match="trusted TLS certificate"),
    ):
        fetcher.fetch(f"{served.url}/file.rpm", limit=len(BODY))


def test_a_client_without_a_handshake_blocks_no_others(served: Served) -> None:
    port = int(served.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)), HttpFetcher(ca=served.ca) as fetcher:
        assert fetcher.fetch(f"{served.url}/file.rpm", limit=len(BODY)).body == BODY
