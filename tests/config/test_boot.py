# ruff: noqa: E501  messages stand whole, as a user sees them
"""Combinations that cannot boot are refused when the recipe is read, and what has no effect is said."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from oic.plan import plan
from oic.plan.boot import method_of

if TYPE_CHECKING:
    from .conftest import Complain, Load

ESP = "    - {id: esp, type: esp, size: 100MiB, fsType: fat32, mountPoint: /boot/efi}\n"
ROOT = "    - {id: root, size: 800MiB, fsType: ext4, mountPoint: /}\n"
GRUB, LEGACY = (
    "systemConfig: {bootloader: {provider: grub}}\n",
    "systemConfig: {bootloader: {bootType: legacy, provider: grub}}\n",
)


def disk(*partitions: str, table: str = "gpt") -> str:
    return f"disk:\n  size: 2GiB\n  partitionTableType: {table}\n  partitions:\n{''.join(partitions)}"


REFUSED = {
    "a BIOS without GRUB": (
        disk(ROOT) + "systemConfig: {bootloader: {bootType: legacy, provider: systemd-boot}}\n",
        ["8: systemConfig.bootloader.bootType: expected provider: grub beside bootType: legacy, found systemd-boot"],
    ),
    "systemd-boot on an MBR": (
        disk(ESP, ROOT, table="mbr"),
        [
            "5: disk.partitionTableType: expected gpt, which is what systemd-boot finds its partitions in, or provider: grub, found mbr"
        ],
    ),
    "UEFI without an ESP": (
        disk(ROOT) + GRUB,
        ["6: disk.partitions: expected a partition of type esp, for bootType efi, found none"],
    ),
    "an ESP that no firmware reads": (
        disk(ESP.replace("fat32", "ext4"), ROOT),
        ["7: disk.partitions[0].fsType: expected fat32 or fat16 for an esp, as firmware reads no other, found ext4"],
    ),
    "a root that GRUB does not read": (
        disk(ROOT.replace("ext4", "f2fs")) + LEGACY,
        [
            "7: disk.partitions[0].fsType: expected a file system that GRUB reads /boot from: ext4, ext3, ext2, fat32, fat16, xfs, btrfs, found f2fs"
        ],
    ),
    "quotes that GRUB changes": (
        disk(ROOT) + "systemConfig: {bootloader: {bootType: legacy, provider: grub}, kernel: {cmdline: \"a='b c'\"}}\n",
        [
            "8: systemConfig.kernel.cmdline: expected neither single quotes nor backslashes, before which GRUB puts backslashes, found a='b c'"
        ],
    ),
    "a quote that is not closed": (
        disk(ESP, ROOT) + "systemConfig: {bootloader: {provider: grub2}, kernel: {cmdline: 'a=\"b'}}\n",
        ['9: systemConfig.kernel.cmdline: expected as many opening as closing double quotes, found a="b'],
    ),
}


@pytest.mark.parametrize(("body", "expected"), REFUSED.values(), ids=REFUSED)
def test_an_impossible_combination_is_refused_in_words_that_say_what_to_change(
    body: str, expected: list[str], complain: Complain
) -> None:
    assert [line.removeprefix("small.yml:") for line in complain(body) if line.startswith("small.yml:")] == expected


@pytest.mark.parametrize(
    ("words", "method"),
    [
        ("{}", "systemd-boot"),
        ("{bootType: efi}", "systemd-boot"),
        ("{provider: grub}", "grub-efi"),
        ("{bootType: efi, provider: grub2}", "grub-efi"),
        ("{bootType: legacy, provider: grub2}", "grub-bios"),
    ],
)
def test_the_recipes_words_say_the_method(words: str, method: str, load: Load) -> None:
    config = load(disk(ESP, ROOT) + f"systemConfig: {{bootloader: {words}}}\n")
    assert method_of(config) == method
    assert not config.unbuilt


def test_a_distribution_whose_packages_nobody_named_says_so(load: Load) -> None:
    head = "image: {name: small, version: 1.0}\ntarget: {os: redhat-compatible-distro, dist: el10, arch: x86_64, imageType: raw}\n"
    (line,) = [line for line in load(disk(ESP, ROOT) + GRUB, head=head).unbuilt if "bootloader" in line]
    assert line.endswith(
        "redhat-compatible-distro/el10 with the boot loader grub and bootType efi is not built yet: its data name no tools"
    )


def test_where_grub_reads_the_tree_the_file_systems_are_made_after_what_boots(load: Load) -> None:
    for words, order in (("{}", False), ("{provider: grub}", True)):
        config = load(disk(ESP, ROOT) + f"systemConfig: {{bootloader: {words}}}\n")
        stages = {stage.name: stage for stage in plan(config, config.recipe.parent / "cache")}
        inputs = {path.name for path in stages["fs"].inputs}
        assert ("boot.json" in inputs) is order
        assert ("system.json" in {path.name for path in stages["boot"].inputs}) is order
        names = list(stages)
        assert (names.index("boot") < names.index("fs")) is order


def test_what_has_no_effect_with_grub_is_said(load: Load) -> None:
    bios = "    - {id: bios, type: bios, size: 1MiB, fsType: ext2}\n"
    config = load(disk(bios, ESP, ROOT) + "systemConfig: {bootloader: {provider: grub}, kernel: {entries: true}}\n")
    notes = "\n".join(config.notes)
    assert "systemConfig.kernel.entries: no effect with GRUB, whose menu never is a unified kernel image" in notes
    assert (
        "disk.partitions[0].fsType: no effect on a partition of type bios, which has GRUB's own content or none"
        in notes
    )
    assert not config.unbuilt


FILES = """systemConfig:
  bootloader: {provider: LOADER}
  kernel: {entries: true}
  additionalFiles:
    - {final: /etc/kernel/cmdline, content: quiet}
    - {final: /boot/grub/grub.cfg, content: menu}
    - {final: /etc/default/grub, content: GRUB_TIMEOUT=9}
"""


@pytest.mark.parametrize(("loader", "line"), [("systemd-boot", 13), ("grub", 14)])
def test_a_file_that_the_build_writes_for_the_boot_loader_is_noted(loader: str, line: int, load: Load) -> None:
    notes = load(disk(ESP, ROOT) + FILES.replace("LOADER", loader)).notes
    (note,) = [note for note in notes if "additionalFiles" in note]
    number = line - 13
    assert note.endswith(
        f":{line}: systemConfig.additionalFiles[{number}].final: no effect, as the build writes this file for the boot "
        "loader; kernel.cmdline has the command line"
    )


def test_a_bios_alone_means_grub_whatever_the_defaults_have(load: Load) -> None:
    loader = load(disk(ROOT) + "systemConfig: {bootloader: {bootType: legacy}}\n").system.bootloader
    assert (loader.boot_type, loader.provider) == ("legacy", "grub")


@pytest.mark.parametrize(
    ("root", "count"),
    [
        ("LABEL=top", 0),
        ("LABEL=other", 1),
        ("PARTLABEL=root", 0),
        ("PARTLABEL=rot", 1),
        ("/dev/mapper/rootfs_verity", 1),
        ("/dev/vda2", 0),
    ],
)
def test_a_root_that_is_no_partition_of_the_disk_is_noted(root: str, count: int, load: Load) -> None:
    labelled = ROOT.replace("id: root", "id: root, fsLabel: top")
    config = load(disk(ESP, labelled) + f"systemConfig: {{kernel: {{cmdline: 'root={root}'}}}}\n")
    said = f"systemConfig.kernel.cmdline: no partition of the disk is {root}: the image boots only if its initramfs"
    assert len([note for note in config.notes if said in note]) == count
