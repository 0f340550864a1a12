"""What a medium boots: its menu as GRUB reads it, its first program as a shell does, its initramfs as cpio does."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from oic.image.cpio import LAST, make_initramfs
from oic.image.medium.init import INIT
from oic.image.medium.menu import Entry, menu_text, search_text

from .host import HostTools, output
from .test_tarball import tree

if TYPE_CHECKING:
    from pathlib import Path

MARKER = "0f1a"
SERIAL = "console=tty0 console=ttyS0,115200"


def entries(*modes: str) -> list[Entry]:
    return [Entry(mode=mode, command_line=f'{SERIAL} a="b c" d=$e') for mode in modes]


@pytest.mark.parametrize("modes", [("live",), ("unattended", "live"), ("",)])
def test_grub_reads_the_menu(modes: tuple[str, ...], tmp_path: Path) -> None:
    text = menu_text('It\'s "Debian" $1 (bookworm)', entries(*modes), MARKER)
    for name, content in (("menu", text), ("search", search_text(MARKER))):
        (tmp_path / name).write_text(content)
        output("grub-script-check", "--verbose", tmp_path / name)
    assert text.count("menuentry ") == len(modes) + 2
    lines = [line.strip() for line in text.splitlines() if "linux /" in line]
    wanted = [f"oic.mode={mode}" for mode in (*modes, "debug") if mode]
    assert [word for line in lines for word in line.split() if word.startswith("oic.mode")] == wanted
    assert all(f" oic.medium={MARKER}" in line for line in lines)
    assert "serial --unit=0 --speed=115200" in text


def test_a_shell_reads_the_first_program(tmp_path: Path) -> None:
    (tmp_path / "init").write_text(INIT)
    for shell in ("dash", "bash"):
        output(shell, "-n", tmp_path / "init")


def test_two_equal_trees_give_the_same_initramfs(tmp_path: Path) -> None:
    for name in ("one", "two"):
        make_initramfs(tree(tmp_path / name), tmp_path / f"{name}.img", (), HostTools())
    assert (tmp_path / "one.img").read_bytes() == (tmp_path / "two.img").read_bytes()


def test_the_initramfs_has_the_tree_but_for_what_is_left_out(tmp_path: Path) -> None:
    root = tree(tmp_path / "one")
    (root / "usr/share/doc/a").mkdir(parents=True)
    (root / "usr/lib/modules/6.1/kernel/sound/core").mkdir(parents=True)
    (root / "boot").mkdir()
    (root / "boot/vmlinuz").write_text("")
    (root / "usr/bin").mkdir()
    (root / "usr/lib/oic").mkdir()
    (root / "usr/lib/x86_64-linux-gnu").mkdir()
    for name in ("init", LAST, "usr/bin/dash", "usr/lib/x86_64-linux-gnu/libc.so.6", "zz"):
        (root / name).write_text("")
    (root / "bin").symlink_to("usr/bin")
    excluded = ("boot/*", "usr/share/doc", "usr/lib/modules/*/kernel/sound")
    make_initramfs(root, tmp_path / "one.img", excluded, HostTools())
    output("zstd", "-dq", tmp_path / "one.img", "-o", tmp_path / "one.cpio")
    with (tmp_path / "one.cpio").open("rb") as archive:
        done = subprocess.run(["cpio", "-tv", "--quiet"], stdin=archive, capture_output=True, text=True, check=True)
    names = [line.split(" -> ")[0].split()[-1] for line in done.stdout.splitlines()]
    assert names == [
        *("boot", "etc", "usr", "usr/bin", "usr/lib", "usr/lib/modules", "usr/lib/modules/6.1"),
        *("usr/lib/modules/6.1/kernel", "usr/lib/oic", "usr/lib/x86_64-linux-gnu", "usr/share"),
        *("bin", "init", "usr/bin/dash", "usr/lib/x86_64-linux-gnu/libc.so.6"),  # what a shell needs
        *("etc/a", "etc/again", "etc/b", "etc/link", "zz", LAST),
    ]
    assert "-rwsr-xr-x" in done.stdout
