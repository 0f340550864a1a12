"""A mirror, certificates made by openssl, and fetchers that give up quickly."""

from __future__ import annotations

import ssl
import subprocess
from typing import TYPE_CHECKING

import pytest

from oic.ospackage.http import HttpFetcher, RetryPolicy

from .mirror import Mirror

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

QUICK = RetryPolicy(connect=5, read=5, window=0.3, rate=1000, attempts=3, back_off=0.001, retry_after=0.5)


@pytest.fixture(autouse=True)
def _own_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the settings of the machine away from loopback servers."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "requests_ca_bundle", "curl_ca_bundle"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def mirror() -> Iterator[Mirror]:
    with Mirror() as server:
        yield server


@pytest.fixture
def fetcher() -> Iterator[HttpFetcher]:
    with HttpFetcher(policy=QUICK) as made:
        yield made


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory of ca.crt and, each with its .key: good, other (another host), old (expired), own (no CA)."""
    place = tmp_path_factory.mktemp("certificates")

    def openssl(*words: str) -> None:
        subprocess.run(["openssl", *words], cwd=place, check=True, capture_output=True)

    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=test authority")
    for name, host, days in (
        ("good", "IP:127.0.0.1", "2"),
        ("other", "DNS:elsewhere.test", "2"),
        ("old", "IP:127.0.0.1", "-1"),
    ):
        openssl("req", *key, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        (place / "extensions").write_text(f"subjectAltName={host}\n")
        signer = ("-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "extensions")
        openssl("x509", "-req", "-in", f"{name}.csr", "-out", f"{name}.crt", "-days", days, *signer)
    subject = ("-subj", "/CN=own", "-addext", "subjectAltName=IP:127.0.0.1")
    openssl("req", "-x509", *key, "-keyout", "own.key", "-out", "own.crt", *subject)
    return place


def server_context(certificates: Path, name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / f"{name}.crt", certificates / f"{name}.key")
    return context


@pytest.fixture
def secure(certificates: Path) -> Iterator[Mirror]:
    with Mirror(server_context(certificates, "good")) as server:
        yield server


@pytest.fixture
def trusting(certificates: Path) -> Iterator[HttpFetcher]:
    with HttpFetcher(policy=QUICK, ca=certificates / "ca.crt") as made:
        yield made
