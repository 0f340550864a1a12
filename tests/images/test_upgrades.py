"""In a booted image, the package manager takes an upgrade from the repository that the build would take it from.

The repositories are served on this host's loopback, over TLS. The guest has them at the same URL: a unit of the test
forwards the port to the host.
"""

from __future__ import annotations

import re
import ssl
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
import yaml
from e2e.further import make_package, serve_suite
from e2e.tiny import Package, Tiny
from net.mirror import Mirror
from provider.deb.signed import Signer
from standin.serve import certificate

from oic.boottest.vm import Machine

from .booted import said_by
from .conftest import Built
from .conftest import Mirror as Standin

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.mirror, pytest.mark.boot, pytest.mark.slow]

PARTITIONS = [
    {"id": "esp", "type": "esp", "size": "200MiB", "fsType": "fat32", "mountPoint": "/boot/efi"},
    {"id": "root", "type": "linux-root-amd64", "size": "1000MiB", "fsType": "ext4", "mountPoint": "/"},
]
AUTHORITY = "/etc/ssl/oic-test.crt"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Mirror]:
    certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.crt", tmp_path / "server.key")
    with Mirror(context) as mirror:
        yield mirror


@pytest.fixture
def signers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Signer]]:
    folder = tmp_path_factory.mktemp("k")  # a short path: gpg-agent's socket lives below it
    made = [Signer(home=folder / name).make() for name in ("vendor", "other")]
    yield made
    for signer in made:
        signer.close()


def recipe_of(server: Mirror, signers: list[Signer], ca: Path) -> str:
    """Return a recipe with two repositories of its own: ``vendor``, which comes first, and ``other``."""
    keys = [{"pkey": str(signer.home / "public.gpg")} for signer in signers]
    return yaml.safe_dump(
        {
            "image": {"name": "upgrades", "version": "1.0.0"},
            "target": {"os": "debian", "dist": "debian12", "arch": "x86_64", "imageType": "raw"},
            "disk": {"size": "1400MiB", "partitions": PARTITIONS},
            "packageRepositories": [
                {"codename": "vendor", "url": server.url("/vendor"), "priority": 600, **keys[0]},
                {
                    "codename": "other",
                    "url": server.url("/other"),
                    "allowPackages": ["oic-tool", "oic-more"],
                    **keys[1],
                },
            ],
            "systemConfig": {
                "packages": ["apt", "oic-tool", "oic-more"],
                "additionalFiles": [
                    {"local": str(ca), "final": AUTHORITY},
                    {"content": f'Acquire::https::CaInfo "{AUTHORITY}";\n', "final": "/etc/apt/apt.conf.d/10test"},
                ],
                "users": [{"name": "root", "password": "secret"}],
            },
        },
        sort_keys=False,
    )


def forwarded(server: Mirror) -> str:
    """Return a command that forwards the server's port of the guest's loopback to this host."""
    port = urlsplit(server.url("/")).port
    unit = f"systemd-run --unit=forward --socket-property=ListenStream=127.0.0.1:{port}"
    online = "for n in $(seq 60); do ip route | grep -q default && break; sleep 1; done"
    return f"{online}; {unit} /lib/systemd/systemd-socket-proxyd 10.0.2.2:{port}"


def candidates(policy: str) -> dict[str, list[tuple[str, str]]]:
    """Return priority and suite of each version of each package, from what ``apt-cache policy`` prints."""
    found: dict[str, list[tuple[str, str]]] = {}
    for name, text in re.findall(r"^(\S+):\n((?:  .*\n?)+)", policy, re.MULTILINE):
        found[name] = re.findall(r"^ (?:   |\*\*\*) \S+ (-?\d+)\n +-?\d+ https://[^/]+/(\w+) ", text, re.MULTILINE)
    return found


def test_apt_takes_an_upgrade_as_the_build_would(tmp_path: Path, server: Mirror, signers: list[Signer]) -> None:
    vendor, other = signers
    tiny = Tiny(mirror=server, packages={}, signer=vendor)

    def packages(place: str, **versions: str) -> list[Package]:
        return [
            make_package(tmp_path / place, f"oic-{name}", version, architecture="all")
            for name, version in versions.items()
        ]

    serve_suite(tiny, "/vendor", "vendor", {"main": packages("v1", tool="1")}, vendor)
    serve_suite(tiny, "/other", "other", {"main": packages("o1", tool="2", more="1", secret="1")}, other)
    image = Built("upgrades", tmp_path, Standin(target={}, ca=tmp_path / "ca.crt"))
    image.recipe.parent.mkdir(exist_ok=True)
    image.recipe.write_text(recipe_of(server, signers, tmp_path / "ca.crt"))
    image.doit("build")
    built = image.packages()
    assert (built["oic-tool"], built["oic-more"]) == ("1", "1")
    serve_suite(tiny, "/vendor", "vendor", {"main": packages("v2", tool="1.5")}, vendor)
    serve_suite(tiny, "/other", "other", {"main": packages("o2", tool="3", more="2", secret="2")}, other)
    serve_suite(tiny, "/forged", "vendor", {"main": packages("f1", tool="9")}, other)
    installed = "dpkg-query -W -f '${Package} ${Version}\\n' oic-tool oic-more"
    _, _, _, policy, _, now, forged = said_by(
        image.raw,
        Machine(network=True),
        tmp_path / "log",
        [
            forwarded(server),
            "mv /etc/apt/sources.list.d/image.sources /root",  # Debian's own index takes minutes under emulation
            "apt-get update --error-on=any",
            "apt-cache policy oic-tool oic-more oic-secret",
            "DEBIAN_FRONTEND=noninteractive apt-get -y upgrade",
            installed,
            (
                "sed s:/vendor:/forged: /etc/apt/sources.list.d/vendor.sources > /root/forged.sources; "
                "apt-get update -o Dir::Etc::sourcelist=/root/forged.sources -o Dir::Etc::sourceparts=- --error-on=any "
                "|| echo refused"
            ),
        ],
    )
    assert candidates(policy) == {
        "oic-tool": [("500", "other"), ("600", "vendor")],
        "oic-more": [("500", "other")],
        "oic-secret": [("-1", "other")],
    }, policy
    assert now.split("\n") == ["oic-more 2", "oic-tool 1.5"]
    assert "/vendor/pool/main/oic-tool_1.5_all.deb" in [request.path for request in server.requests]
    update = image.doit("update")
    assert "oic-tool 1 -> 1.5" in update, "which is what the build would take"
    assert "oic-more 1 -> 2" in update
    assert "NO_PUBKEY" in forged, "each repository has its own key alone"
    assert forged.endswith("refused")
