"""Repositories served on this host's loopback, over TLS, that the build and a booted image both reach by one URL.

In the guest a unit forwards the port to the host.
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from net.mirror import Mirror as Server
from provider.rpm.keys import Key
from standin.serve import certificate

from .conftest import Mirror

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from standin.fixtures import Standin

PUBLIC = "public.asc"
"""The file of a key that a recipe names, in the key's directory."""
_ANCHOR = "/etc/pki/ca-trust/source/anchors/oic-test.crt"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """Return a server whose certificate is by the authority ``ca.crt``."""
    certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.crt", tmp_path / "server.key")
    with Server(context) as mirror:
        yield mirror


@pytest.fixture
def keys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Key]]:
    """Return two keys that sign rpms."""
    folder = tmp_path_factory.mktemp("k")  # a short path: gpg-agent's socket lives below it
    made = [Key(home=folder / name).make() for name in ("vendor", "other")]
    for key in made:
        (key.home / PUBLIC).write_bytes(key.public())
    yield made
    for key in made:
        key.close()


def forwarded(server: Server) -> str:
    """Return a command that forwards the server's port of the guest's loopback to this host."""
    port = urlsplit(server.url("/")).port
    unit = f"systemd-run --unit=forward --socket-property=ListenStream=127.0.0.1:{port}"
    online = "for n in $(seq 60); do ip route | grep -q default && break; sleep 1; done"
    return f"{online}; {unit} /lib/systemd/systemd-socket-proxyd 10.0.2.2:{port}"


def azure(standin: Standin, place: Path) -> Mirror:
    """Return what a recipe says of the stand-in of Azure Linux, for a build that reaches the server of a test, too."""
    both = place / "both.crt"
    both.write_bytes((place / "ca.crt").read_bytes() + standin.ca.read_bytes())
    url = standin.urls["azl3"]
    key = f"{url}/repodata/repomd.xml.key"
    return Mirror({"os": "azure-linux", "dist": "azl3", "mirror": url, "mirrorKeys": [key]}, both)


def trusting(place: Path) -> dict[str, Any]:
    """Return what makes an image of Azure Linux trust the server of a test."""
    anchor = {"local": str(place / "ca.crt"), "final": _ANCHOR}
    return {"additionalFiles": [anchor], "configurations": [{"cmd": "update-ca-trust"}]}
