"""An image counts as built when it boots."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.images.conftest import Built

pytestmark = [pytest.mark.mirror, pytest.mark.boot]


def test_edge_boots_to_a_login_with_exactly_its_packages(built: Callable[[str], Built]) -> None:
    edge = built("edge")
    before = edge.raw.stat().st_mtime_ns
    first = _booted(edge)
    assert {name.split(":")[0] for name in first["packages"]} == _locked(edge)
    assert {mount["target"]: mount["fs_type"] for mount in first["mounts"]} == {"/": "ext4", "/boot/efi": "vfat"}
    assert first["os_release"]["ID"] == "debian"
    # A second boot of a fresh copy is another machine: nothing of the first one's identity was in the image.
    second = _booted(edge)
    assert first["machine_id"] != second["machine_id"]
    assert first["host_keys"].keys() == second["host_keys"].keys() != set()
    assert not set(first["host_keys"].values()) & set(second["host_keys"].values())
    assert edge.raw.stat().st_mtime_ns == before


@pytest.mark.slow
@pytest.mark.parametrize("name", ["minimal", "debian13-minimal"])
def test_a_recipe_of_image_and_target_alone_boots(built: Callable[[str], Built], name: str) -> None:
    image = built(name)
    report = _booted(image)
    assert {package.split(":")[0] for package in report["packages"]} == _locked(image)
    assert report["failed_units"] == []


def _booted(image: Built) -> dict[str, object]:
    image.doit("boot-test")
    return image.json("boot-test.json")  # type: ignore[no-any-return]


def _locked(image: Built) -> set[str]:
    return {package["name"] for package in image.json("lock.json")["sets"]["image"]}
