"""A build and its manifest name the private keys that no package contains, and what created them."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from .place import Place

pytestmark = pytest.mark.mirror

SAME = "the same on every machine of this image"


def test_private_keys_of_the_recipe_and_of_its_commands_are_named(place: Place, tmp_path: Path) -> None:
    key = tmp_path / "own.key"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ED25519", "-out", str(key)], check=True)
    recipe = place.family.recipe
    recipe["systemConfig"]["additionalFiles"].append({"local": str(key), "final": "/etc/ssh/ssh_host_ed25519_key"})
    place.write(recipe)
    given = f"note: /etc/ssh/ssh_host_ed25519_key: a private key (PEM, PKCS #8), {SAME}; a file of the recipe"
    assert given in place.doit("build").succeeded().said
    manifest = json.loads((place.image / "small-1.0.0.manifest.json").read_text())
    assert ([one["path"] for one in manifest["privateKeys"]], manifest["reproducible"]) == (
        ["/etc/ssh/ssh_host_ed25519_key"],
        True,
    )
    recipe["systemConfig"]["configurations"].append({"cmd": "cp /etc/ssh/ssh_host_ed25519_key /root/drawn"})
    place.write(recipe)
    said = place.doit("build").succeeded().said
    made = "made by a setting or a command of the recipe"
    assert f"note: /root/drawn: a private key (PEM, PKCS #8), {SAME}; {made}" in said
    assert ", not reproducible: 1 private key was generated" in said
    manifest = json.loads((place.image / "small-1.0.0.manifest.json").read_text())
    assert [one["path"] for one in manifest["privateKeys"]] == ["/etc/ssh/ssh_host_ed25519_key", "/root/drawn"]
    assert not manifest["reproducible"]
