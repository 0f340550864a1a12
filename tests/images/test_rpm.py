"""What the rpm family's own programs say of an image: the database, the files, the initramfs."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING

import pytest
import yaml

from oic.provider.rpm.family import list_command

from .conftest import INITRD

if TYPE_CHECKING:
    from collections.abc import Callable

    from .conftest import Built

pytestmark = pytest.mark.mirror

CHANGED = {
    "/etc/fstab": "the recipe's partitions",
    "/etc/group": "the users of scriptlets and of the recipe",
    "/etc/hosts": "the recipe's host name",
    "/etc/localtime": "the recipe's time zone, a link",
    "/etc/passwd": "the users of scriptlets and of the recipe",
    "/etc/shells": "bash's own names, which its scriptlet adds",
    "/etc/yum.repos.d/edge-base.repo": "on is what the image was built from",
}
"""Files that are not as their package has them, and why."""


@pytest.fixture(
    params=[
        "azl3-minimal",
        pytest.param("azl3-edge", marks=pytest.mark.slow),
        pytest.param("emt3-minimal", marks=pytest.mark.slow),
    ]
)
def image(built: Callable[[str], Built], request: pytest.FixtureRequest) -> Built:
    return built(request.param)


def test_rpm_has_the_packages_of_the_lock(image: Built) -> None:
    listed = dict(line.split("\t") for line in image.inside(*list_command()).splitlines())
    assert {name.split(":")[0]: version for name, version in listed.items()} == image.packages()


def test_rpm_finds_every_file_as_its_package_has_it_but_for_these(image: Built) -> None:
    lines = image.inside("sh", "-c", "rpm -Va || true").splitlines()
    kept = [line for line in lines if not line.startswith("missing     /run/")]  # another file system when it runs
    paths = {line.rsplit(maxsplit=1)[-1] for line in kept}
    assert {"/etc/fstab", "/etc/hosts"} <= paths <= set(CHANGED)
    # size, digest and time of a configuration file, or a link's target: never owner, mode or capabilities
    wrong = r"[S.]\.5\.{4}T\.\s+c |\.{4}L\.{4}\s+/etc/localtime"
    assert [line for line in kept if not re.match(wrong, line)] == []


def test_the_database_is_whole_and_nobody_has_it_open(image: Built) -> None:
    assert image.inside("rpmdb", "--verifydb") == ""
    journal = "cat /var/lib/rpm/rpmdb.sqlite-wal; tr -d '\\0' < /var/lib/rpm/rpmdb.sqlite-shm"
    assert image.inside("sh", "-c", journal) == ""


def test_the_targets_own_package_manager_reads_the_database(image: Built) -> None:
    said = image.inside("tdnf", "--disablerepo=*", "list", "installed")
    rows = [line.split() for line in said.splitlines() if line.endswith("@System")]
    assert {name.rpartition(".")[0]: version for name, version, _ in rows} == image.packages()


def test_the_image_s_own_repositories_are_those_it_was_built_from(image: Built) -> None:
    """The toolkit's own file has edge-next on, and before edge-base."""
    _, _, rows = image.inside("tdnf", "repolist").partition("repo name")
    enabled = {line.split()[0] for line in rows.splitlines() if line.strip()}
    assert enabled == {entry["name"] for entry in image.json("lock.json")["repositories"]}


@pytest.mark.parametrize("name", ["azl3-minimal", pytest.param("azl3-edge", marks=pytest.mark.slow)])
def test_dracut_hostonly_among_the_packages_makes_no_initramfs_of_the_builders(
    built: Callable[[str], Built], name: str
) -> None:
    image = built(name)
    assert 'hostonly="yes"' in image.inside("sh", "-c", "cat /etc/dracut.conf.d/*")
    assert "hostonly-files" not in image.inside("lsinitrd", INITRD)


def test_the_initramfs_is_for_any_machine(image: Built) -> None:
    files = image.inside("lsinitrd", INITRD)
    drivers = set(re.findall(r"/([\w-]+)\.ko", files))
    assert {"hv_storvsc", "xen-blkfront", "xen-scsifront", "virtio_blk", "virtio_scsi"} <= drivers
    (machine_id,) = re.findall(r"^.* etc/machine-id$", files, re.MULTILINE)
    assert re.search(r" root +0 ", machine_id), "empty: a machine gets its own"


def test_a_module_that_the_kernel_lacks_keeps_no_other_out(built: Callable[[str], Built]) -> None:
    image = built("azl3-minimal")
    recipe = yaml.safe_load(image.recipe.read_text())
    recipe["systemConfig"] = {"kernel": {"enableExtraModules": "no-such-one wireguard"}}
    other = dataclasses.replace(image, name="azl3-modules")
    other.recipe.write_text(yaml.safe_dump(recipe))
    said = other.doit("initrd")
    version = other.json("initrd-inputs.json")["versions"][0]
    assert f"note: kernel {version} has no module no-such-one (enableExtraModules)" in said.splitlines()
    files = other.inside("lsinitrd", INITRD)
    assert "/wireguard.ko" in files
    assert "/udp_tunnel.ko" in files, "what it needs"
    assert "wireguard" not in image.inside("lsinitrd", INITRD)
