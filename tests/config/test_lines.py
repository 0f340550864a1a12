"""The lines of a recipe that the messages of its stages are about."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from oic.config.lines import with_lines

if TYPE_CHECKING:
    from pathlib import Path

PARENT = """image: {name: first, version: 1.0.0}
target: {os: debian, dist: debian12, arch: x86_64, imageType: raw}
systemConfig:
  timezone: Europe/Berln
"""
RECIPE = """image: {name: first, version: 1.0.0}
target: {os: debian, dist: debian12, arch: x86_64, imageType: raw}
extends: parent.yml
disk:
  size: 2GiB
  partitions:
    - {id: esp, type: esp, size: 100MiB, fsType: fat32, mountPoint: /boot/efi}
    - {id: root, size: 800MiB, fsType: ext4, mountPoint: /}
systemConfig:
  packages: [vim, vmi=2]
  kernel: {version: 9.9}
  services:
    enable: [ssh.service, sshd.service]
    mask:
      - other
  users:
    - {name: bob, password: /bin/zzsh and more, shell: /bin/zzsh}
    - {name: bobby, shell: /bin/sh}
  additionalFiles:
    - {content: a, final: /etc/bar}
    - {content: a, final: /etc/bar/baz}
  configurations:
    - cmd: "true"
    - cmd: "false"
"""
CASES = {
    "timezone: expected a time zone, found Europe/Berln": "parent.yml:4: systemConfig.timezone: ",
    "services.enable: expected a unit, found no sshd.service; x": "r.yml:13: systemConfig.services.enable[1]: ",
    "services.mask: no effect, as there is no other.service": "r.yml:15: systemConfig.services.mask[0]: ",
    "users: expected the shell of bob, found no /bin/zzsh": "r.yml:17: systemConfig.users[0].shell: ",
    "users: the group x of bobby was made": "r.yml:18: systemConfig.users[1].name: ",
    "additionalFiles: /etc/bar: expected an owner": "r.yml:20: systemConfig.additionalFiles[0].final: ",
    "configurations[1]: /bin/sh failed with status 1:": "r.yml:24: systemConfig.configurations[1]: ",
    "the files of / do not fit its ext4: needs 2 MiB": "r.yml:8: disk.partitions[1]: ",
    "image: expected linux (systemConfig.kernel.version says which)": "r.yml:11: systemConfig.kernel.version: ",
    "image: there is no package vmi (did you mean vim?)": "r.yml:10: systemConfig.packages[1]: ",
}


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    (tmp_path / "parent.yml").write_text(PARENT)
    (tmp_path / "r.yml").write_text(RECIPE)
    return tmp_path / "r.yml"


@pytest.mark.parametrize("message", CASES)
def test_a_message_gets_the_line_it_is_about(message: str, recipe: Path) -> None:
    said = with_lines(f"{message}\n    a line of a program", recipe)
    text = message if message.startswith("the files") else message.partition(": ")[2]
    assert said.splitlines() == [f"{recipe.parent}/{CASES[message]}{text}", "    a line of a program"]
    assert with_lines(said, recipe) == said, "what has its line keeps it"


@pytest.mark.parametrize("message", ["locale: de has no effect", "no path: at all", "services: x", "sda: timezone: y"])
def test_a_message_about_nothing_of_the_recipe_stays(message: str, recipe: Path) -> None:
    assert with_lines(message, recipe) == message


def test_a_recipe_that_is_gone_changes_no_message(tmp_path: Path) -> None:
    assert with_lines("timezone: expected one", tmp_path / "r.yml") == "timezone: expected one"
