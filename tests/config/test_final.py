from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from oic.config.final import is_default, load_config
from oic.plan import plan
from oic.values import to_json

from .conftest import HEAD, MIRROR

if TYPE_CHECKING:
    from .conftest import Load

RECIPES = Path(__file__).parents[2] / "recipes"
MIB = 1 << 20


def test_image_and_target_alone_are_complete(load: Load) -> None:
    config = load("")
    assert (config.image_name, config.image.name, config.image.version) == ("small", "small", "1.0")
    assert config.unbuilt == config.notes == ()
    assert [(one.id, one.start, one.end, one.mount_point) for one in config.disk.partitions] == [
        ("boot", MIB, 513 * MIB, "/boot/efi"),
        ("rootfs", 513 * MIB, None, "/"),
    ]
    assert config.disk.size == 4096 * MIB
    assert config.system.kernel.packages == ("linux-image-amd64",)
    assert "linux-image-amd64" not in config.system.packages
    assert [file.final for file in config.system.files] == ["/etc/systemd/network/80-dhcp.network"]
    assert (config.system.bootloader.boot_type, config.system.bootloader.provider) == ("efi", "systemd-boot")


@pytest.mark.parametrize("recipe", sorted(RECIPES.glob("*.yml")), ids=lambda path: path.stem)
def test_the_shipped_recipes_can_be_built(recipe: Path, tmp_path: Path) -> None:
    copy = tmp_path / recipe.name
    copy.write_text(recipe.read_text().replace("imageType: raw", f"imageType: raw\n  mirror: {MIRROR}"))
    shutil.copytree(RECIPES / "files", tmp_path / "files")
    config = load_config(copy, {})
    assert config.unbuilt == ()
    notes = [
        note
        for note in config.notes
        if not note.startswith(f"not yet as the public default of {config.distribution.id}: ")
    ]
    example = "users[0].password: the password of an example, which everybody knows: give another one"
    assert all(note.endswith(example) for note in notes), "their comments say so too"
    assert [stage.name for stage in plan(config, tmp_path)][-1] == "evidence"
    assert is_default(recipe) == (recipe.stem == "edge")


@pytest.mark.parametrize(
    ("written", "version"),
    [
        ("1.0", "1.0"),
        ("1.10", "1.10"),
        ('"24.04"', "24.04"),
        ("12.12.0", "12.12.0"),
        ("1.0.0+build1", "1.0.0+build1"),
        ("2", "2"),
    ],
)
def test_a_version_is_the_text_that_was_written(written: str, version: str, load: Load) -> None:
    assert load("", head=HEAD.replace("version: 1.0", f"version: {written}")).image.version == version


def test_variables_come_from_the_command_line_then_the_environment(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OIC_VAR_site", "berlin")
    command = "for f in $${list}; do echo $f $(x) ${f:-y}; done"
    body = f"systemConfig:\n  hostname: edge-${{site}}\n  configurations: [{{cmd: '{command}'}}]\n"
    assert load(body).system.hostname == "edge-berlin"
    config = load(body, variables={"site": "paris"})
    assert config.system.hostname == "edge-paris"
    assert config.system.commands[0].cmd == "for f in ${list}; do echo $f $(x) ${f:-y}; done"


def test_a_value_is_not_searched_for_variables_again(load: Load) -> None:
    config = load("systemConfig: {description: x, kernel: {cmdline: 'a=${one}'}}\n", variables={"one": "${two}"})
    assert config.system.kernel.cmdline == "a=${two}"


KEY = "AAAAC3NzaC1lZDI1NTE5AAAAIJtJ0GWp9w0GMrbDX10AXXGVhkPwyDUHAd4zTUy+2SNR"


def test_users_are_what_was_written(load: Load) -> None:
    body = """systemConfig:
  users:
    - {name: admin, password: $6$rounds=4096$salt$hash, hash_algo: sha512, groups: [sudo, adm, sudo], sudo: true}
    - {name: svc, passwordMaxAge: 90, home: /srv, shell: /bin/sh, startupScript: /bin/x,
       sshAuthorizedKeys: [ssh-ed25519 KEY me]}
"""
    admin, service = load(body.replace("KEY", KEY)).system.users
    assert (admin.password, admin.groups, admin.sudo) == ("$6$rounds=4096$salt$hash", ("sudo", "adm"), True)
    assert (service.password, service.password_max_age, service.home, service.shell) == ("", 90, "/srv", "/bin/sh")
    assert (service.startup_script, service.ssh_authorized_keys) == ("/bin/x", (f"ssh-ed25519 {KEY} me",))


def test_a_file_carries_its_digest_and_a_mode_without_the_umask(load: Load, tmp_path: Path) -> None:
    (tmp_path / "x.sh").write_text("#!/bin/sh\n")
    (tmp_path / "x.sh").chmod(0o770)
    (tmp_path / "x.txt").write_text("x")
    (tmp_path / "x.txt").chmod(0o660)
    files = "[{local: x.sh, final: /x}, {local: x.txt, final: /y}, {local: gone, final: /z}]"
    body = f"systemConfig: {{additionalFiles: {files}}}\n"
    config = load(body)
    *_, script, text = config.system.files
    assert (script.mode, text.mode, text.final) == (0o750, 0o640, "/y")
    digest = subprocess.run(
        ["sha256sum", tmp_path / "x.txt"], check=True, capture_output=True, text=True
    ).stdout.split()[0]
    assert text.sha256 == digest
    where = f"{tmp_path}/small.yml:3: systemConfig.additionalFiles[2].local"
    assert config.notes == (f"{where}: expected a file, found none at {tmp_path}/gone; it is left out of the image",)


def test_a_changed_comment_changes_nothing(load: Load) -> None:
    assert to_json(load("")) == to_json(load("# a comment\n"))


def test_the_lock_beside_the_recipe_is_found_and_a_named_one_preferred(load: Load, tmp_path: Path) -> None:
    assert load("").lock is None
    (tmp_path / "small.lock.json").write_text("{}")
    assert load("").lock == tmp_path / "small.lock.json"
    (tmp_path / "other.json").write_text("{}")
    assert load("lock: other.json\n").lock == tmp_path / "other.json"


def test_partitions_may_be_given_by_size_and_index(load: Load) -> None:
    body = """disk:
  size: 2GiB
  partitions:
    - {id: root, index: 2, type: linux-root-amd64, end: "0", fsType: ext4, mountPoint: /}
    - {id: esp, index: 1, typeUUID: EF00, size: 100MiB, fsType: vfat, mountPoint: /boot/efi}
"""
    esp, root = load(body).disk.partitions
    assert (esp.id, esp.start, esp.size, esp.fs_type) == ("esp", None, 100 * MIB, "fat32")
    assert (root.id, root.start, root.size, root.name) == ("root", None, None, "root")
    assert esp.type_uuid == "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"


def test_units_have_their_whole_names(load: Load) -> None:
    services = load(
        "systemConfig: {services: {enable: [ssh, x.timer], disable: [systemd-resolved], mask: [y]}}\n"
    ).system.services
    assert services.enable == ("systemd-networkd.service", "ssh.service", "x.timer")
    assert (services.disable, services.mask) == (("systemd-resolved.service",), ("y.service",))


def test_a_recipe_found_valid_once_is_not_held_against_the_schema_again(load: Load, tmp_path: Path) -> None:
    validated = tmp_path / "validated"
    load("", validated=validated)
    assert len(_markers(validated)) == 1
    code = (
        "import sys; from pathlib import Path; from oic.config.final import load_config\n"
        "load_config(Path(sys.argv[1]), {}, validated=Path(sys.argv[2]))\n"
        "print('jsonschema' in sys.modules, 'yaml' in sys.modules)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "small.yml"), str(validated)]
    first = subprocess.run(command, check=True, capture_output=True, text=True, cwd=RECIPES.parent)
    assert first.stdout == "False False\n"
    (tmp_path / "small.yml").write_text(HEAD + "# edited\n")
    second = subprocess.run(command, check=True, capture_output=True, text=True, cwd=RECIPES.parent)
    assert second.stdout == "True True\n"


def test_no_marker_is_left_by_a_recipe_with_mistakes_or_other_values(load: Load, tmp_path: Path) -> None:
    validated = tmp_path / "validated"
    body = "systemConfig: {hostname: '${name_}'}\n"
    load(body, variables={"name_": "good"}, validated=validated)
    for _ in range(2):
        with pytest.raises(Exception, match="expected a host name"):
            load(body, variables={"name_": "b a d"}, validated=validated)
    assert len(_markers(validated)) == 1


def _markers(validated: Path) -> list[Path]:
    return [path for path in validated.iterdir() if not path.suffix]


@pytest.mark.parametrize(
    ("text", "default"),
    [("default: true\n", True), ("default: false\n", False), ("# default: true\n", False), ("", False)],
)
def test_a_default_recipe_says_so(text: str, default: bool, tmp_path: Path) -> None:  # noqa: FBT001  the expected value
    recipe = tmp_path / "x.yml"
    recipe.write_text(f"{text}image: {{name: default}}\n")
    assert is_default(recipe) is default
