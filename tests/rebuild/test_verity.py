"""An edit of a recipe with a verified root runs what it has an effect on: the root only where what is on it changes."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest

from .families import DEB
from .test_iso import change

if TYPE_CHECKING:
    from .place import Place

pytestmark = [pytest.mark.mirror, pytest.mark.slow]

DISK = {"disk", "evidence"}
EVERY = {"verity", "fs", "boot", *DISK}
PARTITIONS: list[dict[str, Any]] = [
    {"id": "boot", "type": "esp", "size": "160MiB", "fsType": "fat32", "mountPoint": "/boot/efi"},
    {"id": "rootfs", "type": "linux-root-amd64", "size": "700MiB", "fsType": "ext4", "mountPoint": "/"},
    {"id": "hash", "type": "linux", "size": "8MiB"},
    {"id": "opt", "type": "linux", "size": "64MiB", "fsType": "ext4", "mountPoint": "/opt"},
]


def resized(name: str, size: str) -> list[dict[str, Any]]:
    partitions = copy.deepcopy(PARTITIONS)
    next(entry for entry in partitions if entry["id"] == name)["size"] = size
    return partitions


EDITS = [
    ("systemConfig.hostname", "two", {"system", *EVERY}),
    ("systemConfig.kernel.cmdline", "quiet", {"boot", *DISK}),
    ("systemConfig.immutability.state", "memory", {"initrd", "boot", *DISK}),
    ("disk.partitions", resized("opt", "72MiB"), {"fs", *DISK}),
    ("disk.partitions", resized("hash", "9MiB"), {"verity", *DISK}),  # the root hash stays
    ("disk.partitions", resized("rootfs", "701MiB"), {"verity", *DISK}),
    ("image.version", "2.0.0", {"system", "initrd", *EVERY}),
]


def recipe_of(place: Place) -> dict[str, Any]:
    recipe: dict[str, Any] = place.family.recipe
    recipe["disk"] = {"size": "1GiB", "partitions": copy.deepcopy(PARTITIONS)}
    recipe["systemConfig"]["immutability"] = {"enabled": True}
    return recipe


@pytest.mark.parametrize("family", [DEB], indirect=True)
def test_an_edit_of_a_verified_root_runs_exactly_these_stages(place: Place) -> None:
    """One test of many builds: each starts from the first, which is restored."""
    place.write(recipe_of(place))
    assert "verity" in place.doit("build").succeeded().stages()
    assert place.doit("build").succeeded().ran == []
    wrong = {}
    for number, (field, value, expected) in enumerate(EDITS):
        recipe = recipe_of(place)
        change(field, value)(recipe)
        place.write(recipe)
        ran = place.doit("build").succeeded().stages()
        again = place.doit("build").succeeded().ran
        if ran != expected or again:
            wrong[f"{number} {field}"] = (sorted(ran - expected), sorted(expected - ran), again)
        place.write(recipe_of(place))
        place.doit("build").succeeded()
    assert wrong == {}
