"""An edit of an ISO's recipe runs what it has an effect on, and of the two trees only the one that it is about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml

from .families import DEB

if TYPE_CHECKING:
    from collections.abc import Callable

    from .place import Place

pytestmark = [pytest.mark.mirror, pytest.mark.slow]

ISO = {"iso", "evidence"}
INSTALLED = {"fs", "payload", *ISO}
SOLVED = {"solve", "download", "verify", "chroot", "rootfs", "rootfs-medium"}


def recipe_of(place: Place) -> dict[str, Any]:
    recipe: dict[str, Any] = place.family.recipe
    recipe["target"]["imageType"] = "iso"
    recipe["iso"] = {"mode": "unattended"}
    recipe["disk"]["selectionPolicy"] = {"strategy": "first"}
    recipe["disk"]["partitions"][1]["end"] = "0"
    del recipe["disk"]["size"]
    system = recipe["systemConfig"]
    system["initramfs"] = {"template": "medium.yml"}
    # Of an ISO, GRUB is the default, whose files are in the tree: boot then reads the tree, and fs what boots.
    system["bootloader"] = {"bootType": "efi", "provider": "systemd-boot"}
    system["packages"] = list(place.family.packages)
    system["kernel"]["packages"] = list(place.family.kernel)
    return recipe


def medium_of(place: Place) -> dict[str, Any]:
    system = {"packages": ["bash", "systemd-sysv"], "kernel": {"packages": list(place.family.kernel)}}
    target = {**place.family.target, "imageType": "img"}
    return {"image": {"name": "medium", "version": "1"}, "target": target, "systemConfig": system}


def change(way: str, value: Any) -> Callable[[dict[str, Any]], None]:
    """Return what sets a field, ``disk.size``, of a recipe."""

    def changed(recipe: dict[str, Any]) -> None:
        *keys, last = way.split(".")
        for key in keys:
            recipe = recipe.setdefault(key, {})
        recipe[last] = value

    return changed


OF_IMAGE = [
    ("systemConfig.hostname", "two", {"system", *INSTALLED}),
    ("systemConfig.kernel.cmdline", "quiet", {"boot", "payload", *ISO}),
    ("disk.selectionPolicy", {"strategy": "largest"}, {"payload", *ISO}),
    ("iso.answers", {"hostname": "three"}, ISO),
    ("iso.repository", True, {"metadata", *ISO}),  # of debs, the index has all of it already
    ("iso.mode", ["unattended", "live"], {"live", *ISO}),
    ("image.version", "2.0.0", {"system", "initrd", "boot", *INSTALLED}),  # identifiers of partitions are in fstab
    ("disk.size", "4GiB", set()),
]
OF_MEDIUM = [
    ("systemConfig.hostname", "installer", {"system-medium", "img-medium", *ISO}),
    ("systemConfig.kernel.cmdline", "quiet", ISO),
    ("systemConfig.packages", ["bash", "systemd-sysv", "ed"], {*SOLVED, "system-medium", "img-medium", *ISO}),
]


@pytest.mark.parametrize("family", [DEB], indirect=True)
def test_an_edit_of_an_iso_runs_exactly_these_stages(place: Place) -> None:
    """One test of many builds: each starts from the first, which is restored."""
    place.write(recipe_of(place))
    (place.root / "medium.yml").write_text(yaml.safe_dump(medium_of(place)))
    first = place.doit("build").succeeded()
    assert {"payload", "img-medium", "iso"} <= first.stages()
    assert place.doit("build").succeeded().ran == []
    wrong = {}
    for of_medium, (field, value, expected) in [
        *((False, row) for row in OF_IMAGE),
        *((True, row) for row in OF_MEDIUM),
    ]:
        recipe, medium = recipe_of(place), medium_of(place)
        change(field, value)(medium if of_medium else recipe)
        place.write(recipe)
        (place.root / "medium.yml").write_text(yaml.safe_dump(medium))
        ran = place.doit("build").succeeded().stages()
        again = place.doit("build").succeeded().ran
        if ran != expected or again:
            wrong[f"{'medium: ' if of_medium else ''}{field}"] = (sorted(ran - expected), sorted(expected - ran), again)
        place.write(recipe_of(place))
        (place.root / "medium.yml").write_text(yaml.safe_dump(medium_of(place)))
        place.doit("build").succeeded()
    assert wrong == {}
