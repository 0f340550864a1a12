"""A root that is only read, as it is planned: its partitions, what fstab says of it, and where state is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml

from oic.config.final import load_config
from oic.config.partition_types import type_guid
from oic.image.verity import ReadOnlyRoot
from oic.plan import plan

if TYPE_CHECKING:
    from pathlib import Path

    from oic.config.model import FinalConfig

ESP = {"id": "esp", "type": "esp", "size": "160MiB", "mountPoint": "/boot/efi"}
ROOT = {"id": "root", "type": "linux", "size": "800MiB", "fsType": "ext4", "mountPoint": "/"}
OPT = {"id": "opt", "type": "linux", "end": "0", "fsType": "ext4", "mountPoint": "/opt"}
HASH = {"id": "hash", "type": "linux", "size": "8MiB", "fsType": "ext4"}
DEFAULTS = {
    ("edge-microvisor-toolkit", "emt3"): True,
    ("wind-river-elxr", "elxr12"): True,
    ("wind-river-elxr", "elxr13"): True,
    ("debian", "debian13"): True,
    ("ubuntu", "ubuntu24"): True,
    ("ubuntu", "ubuntu26"): True,
    ("azure-linux", "azl3"): False,
    ("redhat-compatible-distro", "el10"): False,
    ("debian", "debian12"): False,
}


def config_of(place: Path, target: tuple[str, str] = ("debian", "debian12"), **fields: Any) -> FinalConfig:
    os, dist = target
    recipe = {
        "image": {"name": "r", "version": "1"},
        "target": {"os": os, "dist": dist, "arch": "x86_64", "imageType": "raw"},
        **fields,
    }
    path = place / "r.yml"
    path.write_text(yaml.safe_dump(recipe))
    return load_config(path, {})


def on(partitions: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    disk = {"size": "3GiB", "partitions": partitions}
    return {"disk": disk, "systemConfig": {"immutability": {"enabled": True, **more}}}


def slices(config: FinalConfig, place: Path) -> dict[str, Any]:
    return {stage.name: stage.slice for stage in plan(config, place)}


@pytest.mark.parametrize("target", DEFAULTS, ids=lambda target: str(target[1]))
def test_a_default_image_has_the_root_that_the_public_one_has(target: tuple[str, str], tmp_path: Path) -> None:
    config = config_of(tmp_path, target)
    wanted = ReadOnlyRoot(root="rootfs", hashes="roothashmap", state="userdata") if DEFAULTS[target] else None
    assert config.read_only == wanted
    assert config.unbuilt == ()
    assert not any("immutability" in note for note in config.notes)
    names = [stage.name for stage in plan(config, tmp_path)]
    assert ("verity" in names) == DEFAULTS[target]
    if DEFAULTS[target]:
        assert names.index("verity") < names.index("boot")


def test_both_partitions_have_the_types_that_systemd_looks_for(tmp_path: Path) -> None:
    config = config_of(tmp_path, **on([ESP, ROOT, HASH, OPT]))
    types = {entry.id: entry.type_uuid for entry in config.disk.partitions}
    assert types["root"] == type_guid("linux-root-amd64")
    assert types["hash"] == type_guid("linux-root-amd64-verity")
    own = "11111111-2222-3333-4444-555555555555"
    config = config_of(tmp_path, **on([ESP, ROOT, {**HASH, "typeUUID": own}, OPT]))
    assert {entry.id: entry.type_uuid for entry in config.disk.partitions}["hash"] == own


def test_the_file_systems_are_all_but_the_root_and_the_hash_tree(tmp_path: Path) -> None:
    found = slices(config_of(tmp_path, **on([ESP, ROOT, HASH, OPT])), tmp_path)
    assert [entry.id for entry in found["fs"].partitions] == ["opt"]
    (root,) = found["verity"].tree.partitions
    assert (root.id, root.size, found["verity"].hashes_size) == ("root", 800 << 20, 8 << 20)


def test_a_partition_for_the_hash_tree_is_added_before_the_one_that_takes_the_rest(tmp_path: Path) -> None:
    config = config_of(tmp_path, **on([ESP, ROOT, OPT]))
    assert [entry.id for entry in config.disk.partitions] == ["esp", "root", "roothashmap", "opt"]
    assert config.disk.partitions[2].size == 7 << 20
    whole = {key: value for key, value in OPT.items() if key != "end"} | {"size": "100MiB"}
    config = config_of(tmp_path, **on([ESP, ROOT, whole]))
    assert [entry.id for entry in config.disk.partitions] == ["esp", "root", "opt", "roothashmap"]


def test_it_is_added_before_the_one_that_grows_which_stays_the_last_on_the_disk(tmp_path: Path) -> None:
    data = {key: value for key, value in OPT.items() if key != "end"} | {"size": "100MiB", "grow": True}
    config = config_of(tmp_path, **on([ESP, ROOT, data]))
    assert [entry.id for entry in config.disk.partitions] == ["esp", "root", "roothashmap", "opt"]
    assert slices(config, tmp_path)["system"].growth.at == "/opt"


def test_fstab_names_the_root_by_its_device_and_no_uuid_that_depends_on_it(tmp_path: Path) -> None:
    root = {**ROOT, "mountOptions": "defaults,noatime"}
    found = slices(config_of(tmp_path, **on([ESP, root, HASH, OPT])), tmp_path)
    mounts = {mount.at: mount for mount in found["system"].mounts}
    assert (mounts["/"].device, mounts["/"].options) == ("/dev/mapper/root", "ro,noatime")
    assert mounts["/tmp"].type == "tmpfs"
    assert mounts["/opt"].device.startswith("PARTUUID=")
    assert found["boot"].root is None


@pytest.mark.parametrize(
    ("partitions", "said", "state", "directories"),
    [
        ([ESP, ROOT, HASH, OPT], {}, "opt", ("/var", "/home", "/root", "/srv")),
        ([ESP, ROOT, HASH, {**OPT, "mountPoint": "/var"}], {}, "opt", ("/home", "/root", "/srv")),
        ([ESP, ROOT, HASH, {**OPT, "mountPoint": "/data"}], {}, "", ("/var", "/home", "/root", "/srv")),
        (
            [ESP, ROOT, HASH, {**OPT, "mountPoint": "/data"}],
            {"state": "/data/"},
            "opt",
            ("/var", "/home", "/root", "/srv"),
        ),
        ([ESP, ROOT, HASH, OPT], {"state": "memory"}, "", ("/var", "/home", "/root", "/srv")),
    ],
)
def test_state_is_where_the_recipe_says_or_on_opt_or_var(
    partitions: list[dict[str, Any]], said: dict[str, str], state: str, directories: tuple[str, ...], tmp_path: Path
) -> None:
    config = config_of(tmp_path, **on(partitions, **said))
    assert config.read_only is not None
    assert config.read_only.state == state
    found = slices(config, tmp_path)["initrd"].state
    assert bool(found.part_uuid) == bool(state)
    assert found.directories == directories
    lost = [note for note in config.notes if "lost when the machine stops" in note]
    assert bool(lost) == (not state and not said)


def test_what_only_a_default_asks_for_is_switched_off_without_a_place(tmp_path: Path) -> None:
    target = ("debian", "debian13")
    disk = {"size": "3GiB", "partitions": [ESP, ROOT, OPT]}
    config = config_of(tmp_path, target, disk=disk)
    assert config.read_only is None
    assert [note for note in config.notes if "switched off, as the disk has no partition for the hash tree" in note]
    config = config_of(tmp_path, target, disk=disk, systemConfig={"immutability": {"enabled": True}})
    assert config.read_only is not None
    disk["partitions"] = [ESP, ROOT, HASH, OPT]
    config = config_of(tmp_path, target, disk=disk, systemConfig={"bootloader": {"provider": "grub"}})
    assert config.read_only is None
    assert [note for note in config.notes if "no partition for GRUB's menu" in note]
