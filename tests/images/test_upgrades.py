"""In a booted image, the package manager takes an upgrade from the repository that the build would take it from."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from e2e.further import make_package, serve_suite
from e2e.tiny import Package, Tiny
from e2e.tiny_rpm import TinyRpm
from provider.deb.signed import Signer
from provider.rpm.made import Made

from oic.boottest.vm import Machine

from .booted import said_by
from .conftest import Built, Mirror
from .serving import PUBLIC, azure, forwarded, keys, server, trusting

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from net.mirror import Mirror as Server
    from provider.rpm.keys import Key
    from standin.fixtures import Standin

__all__ = ["keys", "server"]

pytestmark = [pytest.mark.mirror, pytest.mark.boot, pytest.mark.slow]

PARTITIONS = [
    {"id": "esp", "type": "esp", "size": "200MiB", "fsType": "fat32", "mountPoint": "/boot/efi"},
    {"id": "root", "type": "linux-root-amd64", "size": "1500MiB", "fsType": "ext4", "mountPoint": "/"},
]
AUTHORITY = "/etc/ssl/oic-test.crt"


@pytest.fixture
def signers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Signer]]:
    folder = tmp_path_factory.mktemp("k")  # a short path: gpg-agent's socket lives below it
    made = [Signer(home=folder / name).make() for name in ("vendor", "other")]
    yield made
    for signer in made:
        signer.close()


def build(place: Path, server: Server, mirror: Mirror, keys: Sequence[Path], **system: Any) -> Built:
    """Build an image with two repositories of its own: ``vendor``, which comes first, and ``other``."""
    image = Built("upgrades", place, mirror)
    allowed = {"allowPackages": ["oic-tool", "oic-more"]}
    recipe = {
        "image": {"name": image.name, "version": "1.0.0"},
        "target": {"arch": "x86_64", "imageType": "raw", **mirror.target},
        "disk": {"size": "1900MiB", "partitions": PARTITIONS},
        "packageRepositories": [
            {"codename": "vendor", "url": server.url("/vendor"), "priority": 600, "pkey": str(keys[0])},
            {"codename": "other", "url": server.url("/other"), "pkey": str(keys[1]), **allowed},
        ],
        "systemConfig": {"users": [{"name": "root", "password": "secret"}], **system},
    }
    image.recipe.parent.mkdir(exist_ok=True)
    image.recipe.write_text(yaml.safe_dump(recipe, sort_keys=False))
    image.doit("build")
    return image


def candidates(policy: str) -> dict[str, list[tuple[str, str]]]:
    """Return priority and suite of each version of each package, from what ``apt-cache policy`` prints."""
    found: dict[str, list[tuple[str, str]]] = {}
    for name, text in re.findall(r"^(\S+):\n((?:  .*\n?)+)", policy, re.MULTILINE):
        found[name] = re.findall(r"^ (?:   |\*\*\*) \S+ (-?\d+)\n +-?\d+ https://[^/]+/(\w+) ", text, re.MULTILINE)
    return found


def test_apt_takes_an_upgrade_as_the_build_would(tmp_path: Path, server: Server, signers: list[Signer]) -> None:
    vendor, other = signers
    tiny = Tiny(mirror=server, packages={}, signer=vendor)

    def packages(place: str, **versions: str) -> list[Package]:
        return [
            make_package(tmp_path / place, f"oic-{name}", version, architecture="all")
            for name, version in versions.items()
        ]

    serve_suite(tiny, "/vendor", "vendor", {"main": packages("v1", tool="1")}, vendor)
    serve_suite(tiny, "/other", "other", {"main": packages("o1", tool="2", more="1", secret="1")}, other)
    image = build(
        tmp_path,
        server,
        Mirror({"os": "debian", "dist": "debian12"}, tmp_path / "ca.crt"),
        [signer.home / "public.gpg" for signer in signers],
        packages=["apt", "oic-tool", "oic-more"],
        additionalFiles=[
            {"local": str(tmp_path / "ca.crt"), "final": AUTHORITY},
            {"content": f'Acquire::https::CaInfo "{AUTHORITY}";\n', "final": "/etc/apt/apt.conf.d/10test"},
        ],
    )
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


CONFIGURED = """python3 -c '
import dnf
base = dnf.Base()
base.read_all_repos()
for one in base.repos.iter_enabled():
    print(one.id, one.priority, int(one.gpgcheck), int(one.repo_gpgcheck), *one.gpgkey, sep="|")
'"""
"""What dnf makes of its repository files."""


def test_dnf_takes_an_upgrade_as_the_build_would(
    tmp_path: Path, server: Server, standin: Standin, keys: list[Key]
) -> None:
    vendor, other = (
        TinyRpm(mirror=server, packages={}, key=key, place=tmp_path / key.home.name, base=f"/{key.home.name}")
        for key in keys
    )

    def publish(repository: TinyRpm, revision: int, **versions: str) -> None:
        made = {}
        for name, version in versions.items():
            path = f"/usr/share/oic-{name}"
            install = f"mkdir -p %{{buildroot}}/usr/share; echo {version} > %{{buildroot}}{path}"
            package = Made(name=f"oic-{name}", version=version, install=install, files=path)
            file = package.make(repository.place.with_name(f"{repository.place.name}-{revision}"))
            made[f"oic-{name}"] = repository.key.sign(file).read_bytes()
        repository.packages = made
        repository.publish(revision=revision)

    publish(vendor, 1, tool="1")
    publish(other, 1, tool="2", more="1", secret="1")
    image = build(
        tmp_path,
        server,
        azure(standin, tmp_path),
        [key.home / PUBLIC for key in keys],
        packages=["oic-tool", "oic-more"],
        **trusting(tmp_path),
    )
    built = image.packages()
    assert (built["oic-tool"], built["oic-more"]) == ("1-1", "1-1")
    publish(vendor, 2, tool="1.5")
    publish(other, 2, tool="3", more="2", secret="2")
    for path, body in list(vendor.bodies.items()):
        vendor.serve(path.replace("/vendor", "/forged"), body)
    document = "/forged/repodata/repomd.xml"
    vendor.serve(f"{document}.asc", keys[1].detached(vendor.bodies[document], "--armor"))
    ours = "--disablerepo=azurelinux-official-base"  # which the guest cannot reach
    _, configured, listed, there, _, now, forged = said_by(
        image.raw,
        Machine(network=True),
        tmp_path / "log",
        [
            forwarded(server),
            CONFIGURED,
            f"dnf -y {ours} repolist -v 2>&1",
            f"dnf -q {ours} repoquery --qf '%{{name}} %{{version}} %{{reponame}}' 'oic-*'",
            f"dnf -y {ours} upgrade 2>&1",
            "rpm -q --qf '%{NAME} %{VERSION}\\n' oic-tool oic-more | sort",
            (
                "sed -i s:/vendor:/forged: /etc/yum.repos.d/vendor.repo; "
                f"dnf -y {ours} --setopt=vendor.skip_if_unavailable=0 --refresh repoquery oic-tool 2>&1 || echo refused"
            ),
        ],
    )
    place = "file:///etc/pki/rpm-gpg/RPM-GPG-KEY"
    rows = dict(line.split("|", 1) for line in configured.splitlines())
    assert rows["vendor"] == f"49|1|1|{place}-vendor"
    assert rows["other"] == f"99|1|1|{place}-other"
    assert rows["azurelinux-official-base"].startswith("99|1|1|")
    assert f"Repo-baseurl       : {server.url('/vendor')}" in listed
    assert {"oic-tool 1.5 vendor", "oic-tool 3 other", "oic-more 2 other"} == set(there.splitlines()), there
    assert now.split("\n") == ["oic-more 2", "oic-tool 1.5"]
    assert "/vendor/oic-tool.rpm" in [request.path for request in server.requests]
    update = image.doit("update")
    assert "oic-tool 1-1 -> 1.5-1" in update, "which is what the build would take"
    assert "oic-more 1-1 -> 2-1" in update
    assert "GPG" in forged, "each repository has its own key alone"
    assert forged.endswith("refused")
