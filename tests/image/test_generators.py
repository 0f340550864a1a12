from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from oic.errors import OicError
from oic.image.tree.generators import command, generator_of, has_hooks, modules_setting, paths_read, with_added

if TYPE_CHECKING:
    from pathlib import Path


def write(root: Path, name: str, text: str = "") -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(text)


def test_the_generator_is_the_one_installed(tmp_path: Path) -> None:
    with pytest.raises(OicError, match="found none: add dracut or initramfs-tools"):
        generator_of(tmp_path)
    write(tmp_path, "usr/sbin/mkinitramfs")
    assert generator_of(tmp_path) == "initramfs-tools"
    write(tmp_path, "usr/bin/dracut")
    assert generator_of(tmp_path) == "dracut"


@pytest.mark.parametrize("name", ["dracut", "initramfs-tools"])
def test_only_what_a_generator_reads_is_looked_at(tmp_path: Path, name: str) -> None:
    write(tmp_path, "etc/hostname", "edge")
    write(tmp_path, "etc/shadow", "root:x")
    assert paths_read(tmp_path, name) == ()
    write(tmp_path, "etc/modprobe.d/quiet.conf", "blacklist pcspkr")
    assert paths_read(tmp_path, name) == ("etc/modprobe.d",)


@pytest.mark.parametrize(
    ("name", "hook"),
    [("initramfs-tools", "etc/initramfs-tools/hooks/own"), ("dracut", "etc/dracut.conf.d/own.conf")],
)
def test_a_hook_of_ones_own_may_read_anything(tmp_path: Path, name: str, hook: str) -> None:
    write(tmp_path, "etc/modprobe.d/quiet.conf")
    assert not has_hooks(paths_read(tmp_path, name), name)
    write(tmp_path, hook)
    assert has_hooks(paths_read(tmp_path, name), name)


def test_the_command_line_never_asks_for_this_machine() -> None:
    words = command("dracut", "6.6.1", "/tmp/out")
    assert "--no-hostonly" in words
    assert words[-3:] == ["--kver", "6.6.1", "/tmp/out"]
    assert command("initramfs-tools", "6.1.0", "/tmp/out") == ["mkinitramfs", "-o", "/tmp/out", "6.1.0"]


def test_extra_modules_are_configuration_of_the_generator() -> None:
    modules = ["usbcore", "usb-common"]
    assert modules_setting("dracut", modules) == {
        "etc/dracut.conf.d/90-image.conf": 'force_drivers+=" usbcore usb-common "\n'
    }
    assert modules_setting("initramfs-tools", modules) == {"etc/initramfs-tools/modules": "usbcore\nusb-common\n"}
    assert modules_setting("dracut", []) == {}


def test_a_line_that_is_added_is_a_line_of_its_own(tmp_path: Path) -> None:
    added = {"etc/initramfs-tools/modules": "dummy\n"}
    assert with_added(tmp_path, added) == {"etc/initramfs-tools/modules": b"dummy\n"}
    write(tmp_path, "etc/initramfs-tools/modules", "ext4")
    assert with_added(tmp_path, added) == {"etc/initramfs-tools/modules": b"ext4\ndummy\n"}


def test_a_link_that_leads_out_of_the_configuration_is_looked_at_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/crypttab").symlink_to("/usr/share/of/a/package")
    assert paths_read(tmp_path, "dracut") == ("etc/crypttab",)
    (tmp_path / "etc/dracut.conf").symlink_to("/usr/share/dracut.conf")
    assert has_hooks(paths_read(tmp_path, "dracut"), "dracut")
