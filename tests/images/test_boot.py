"""An image counts as built when it boots."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from .conftest import Built

pytestmark = [pytest.mark.mirror, pytest.mark.boot]


@pytest.mark.parametrize(
    ("name", "system", "mounts"),
    [
        ("edge", "debian", {}),
        ("azl3-minimal", "azurelinux", {"/opt": "ext4"}),
        pytest.param("minimal", "debian", {}, marks=pytest.mark.slow),
        pytest.param("debian13-minimal", "debian", {"/opt": "ext4"}, marks=pytest.mark.slow),
        pytest.param("azl3-edge", "azurelinux", {"/opt": "ext4"}, marks=pytest.mark.slow),
        pytest.param("emt3-minimal", "Edge Microvisor Toolkit", {"/opt": "ext4"}, marks=pytest.mark.slow),
        pytest.param("emt3-edge", "Edge Microvisor Toolkit", {"/opt": "ext4"}, marks=pytest.mark.slow),
        pytest.param("elxr12-minimal", "debian", {"/opt": "ext4"}, marks=pytest.mark.slow),
        pytest.param("elxr12-edge", "debian", {"/opt": "ext4"}, marks=pytest.mark.slow),
        pytest.param("elxr13-minimal", "debian", {"/opt": "ext4"}, marks=pytest.mark.slow),
    ],
)
def test_it_boots_to_a_login_with_exactly_its_packages_and_no_failed_unit(
    built: Callable[[str], Built], name: str, system: str, mounts: dict[str, str]
) -> None:
    image = built(name)
    report = _booted(image)
    assert {package.split(":")[0]: version for package, version in report["packages"].items()} == image.packages()
    assert report["failed_units"] == []
    assert report["os_release"]["ID"] == system
    found = {mount["target"]: mount["fs_type"] for mount in report["mounts"]}
    assert found == {"/": "ext4", "/boot/efi": "vfat", **mounts}


@pytest.mark.parametrize("name", ["edge", pytest.param("azl3-edge", marks=pytest.mark.slow)])
def test_two_boots_of_an_image_are_two_machines(built: Callable[[str], Built], name: str) -> None:
    image = built(name)
    before = image.raw.stat().st_mtime_ns
    first = image.json("boot-test.json") if (image.directory / "boot-test.json").exists() else _booted(image)
    second = _booted(image)
    assert first["machine_id"] != second["machine_id"]
    assert first["host_keys"].keys() == second["host_keys"].keys() != set()
    assert not set(first["host_keys"].values()) & set(second["host_keys"].values())
    assert image.raw.stat().st_mtime_ns == before


def _booted(image: Built) -> dict[str, Any]:
    image.doit("boot-test")
    return image.json("boot-test.json")  # type: ignore[no-any-return]
