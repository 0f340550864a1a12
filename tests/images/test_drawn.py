"""What packages draw while they are installed: made by each machine at its first boot, or named; both families."""

from __future__ import annotations

import dataclasses
import json
import re
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from oic.chroot.clock import library

if TYPE_CHECKING:
    from collections.abc import Callable

    from .conftest import Built

pytestmark = [pytest.mark.mirror, pytest.mark.slow]

SECRETS = {
    "azl3-minimal": ["/etc/nvme/hostid", "/etc/nvme/hostnqn", "/etc/pki/tls/private/postfix.key", "/etc/ident.key"],
    "minimal": [
        "/etc/nvme/hostid",
        "/etc/nvme/hostnqn",
        "/etc/ssl/private/ssl-cert-snakeoil.key",
        "/etc/ssh/ssh_host_ed25519_key",
    ],
}
PACKAGES = {
    "azl3-minimal": ["nvme-cli", "postfix", "authd"],
    "minimal": ["nvme-cli", "openssh-server", "ssl-cert", "systemd-timesyncd"],
}
HISTORY = "ExecStart=/bin/sh -ec 'tdnf history > /dev/ttyS0'\n"
MORE = {"azl3-minimal": HISTORY, "minimal": ""}
"""What else the machine is asked, and says on its console."""
UNIT = """[Unit]
Description=Print what this machine drew
After=ident-key.service nvme-host-id.service postfix-key.service ssh-host-keys.service ssl-cert-snakeoil.service
After=tdnf-history.service
Before=serial-getty@ttyS0.service
[Service]
Type=oneshot
ExecStart=/bin/sh -ec 'for f in {files}; do test -s $$f; echo "drawn $$f $$(sha256sum < $$f)"; done > /dev/ttyS0'
{more}[Install]
WantedBy=multi-user.target
"""


def _with(image: Built, name: str, system: dict[str, Any]) -> Built:
    """Return an image of another recipe: this one's with something more."""
    recipe = yaml.safe_load(image.recipe.read_text())
    recipe["systemConfig"] = {**recipe.get("systemConfig", {}), **system}
    other = dataclasses.replace(image, name=name)
    recipe["image"]["name"] = name
    other.recipe.write_text(yaml.safe_dump(recipe))
    return other


@pytest.mark.boot
@pytest.mark.parametrize("base", list(SECRETS))
def test_two_machines_of_an_image_draw_their_own(built: Callable[[str], Built], base: str) -> None:
    unit = built(base).place / f"{base}-drawn.service"
    unit.write_text(UNIT.format(files=" ".join(SECRETS[base]), more=MORE[base]))
    system = {
        "packages": PACKAGES[base],
        "additionalFiles": [{"local": str(unit), "final": "/etc/systemd/system/print-drawn.service"}],
        "services": {"enable": ["print-drawn"]},
    }
    image = _with(built(base), f"{base}-drawn", system)
    said = image.doit("build")
    assert "a private key" not in said
    manifest = image.json(f"{image.name}-1.0.0.manifest.json")
    assert (manifest["privateKeys"], manifest["reproducible"]) == ([], True)
    assert image.inside("sh", "-c", f"ls {' '.join(SECRETS[base])} 2> /dev/null || true") == ""
    drawn = []
    for _ in range(2):
        image.doit("boot-test")
        assert image.json("boot-test.json")["failed_units"] == []
        log = (image.directory / "log/boot-test.log").read_text("utf-8", "replace")
        assert bool(MORE[base]) == bool(re.search(r"1 +\(set baseline\) +\d{4}-\d\d-\d\d \d\d:\d\d +\d{3}\b", log))
        drawn.append(dict(re.findall(r"drawn (\S+) ([0-9a-f]{64})", log)))
    assert list(drawn[0]) == list(drawn[1]) == SECRETS[base]
    of_firmware = {"/etc/nvme/hostnqn"}  # from the machine's UUID, and both are the same qemu
    same = {path for path, digest in drawn[0].items() if drawn[1][path] == digest}
    assert same <= of_firmware


def test_a_key_that_only_its_scriptlet_can_make_is_named_in_the_build_and_by_reproduce(
    built: Callable[[str], Built],
) -> None:
    if library() is None:
        pytest.skip("needs libfaketime: apt-get install libfaketime")
    image = _with(built("emt3-minimal"), "emt3-drawn", {"packages": ["node-agent"]})
    keys = "/etc/intel_edge_node/caddy/.keys"
    by = "in no package's list, named in the %post of node-agent"
    key = f"{keys}/caddy-containerd-key.pem: a private key (PEM, PKCS #8)"
    said = image.doit("build")
    assert f"note: {key}, the same on every machine of this image; {by}" in said
    manifest = image.json("emt3-drawn-1.0.0.manifest.json")
    assert ([one["made"] for one in manifest["privateKeys"]], manifest["reproducible"]) == ([by], False)
    said = image.doit("reproduce", status=1)
    assert re.search(r"^reproduce:emt3-drawn failed: \d+ things differ", said, re.MULTILINE)
    assert f"\n{key}; {by}\n" in said
    certificates = f"{keys}/caddy-containerd-cert.pem", "/etc/pki/ca-trust/source/anchors/caddy-containerd-cert.pem"
    assert all(f"\n{path}: a certificate; {by}\n" in said for path in certificates)
    named = [one["path"] for one in json.loads((image.directory / "reproduce.json").read_text())["differences"]]
    assert {key.partition(":")[0], *certificates} <= set(named)
    # the bundles that update-ca-trust makes of it
    others = set(named) - {key.partition(":")[0], *certificates}
    assert all(path.startswith("/etc/pki/ca-trust/extracted/") for path in others)
