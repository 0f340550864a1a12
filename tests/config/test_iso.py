"""What a recipe says of an ISO and of the initramfs that it boots."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from oic.config.iso import DiskChoice

from .conftest import HEAD

if TYPE_CHECKING:
    from pathlib import Path

    from oic.config.model import FinalConfig

    from .conftest import Complain, Load

ISO = HEAD.replace("imageType: raw", "imageType: iso")
TEMPLATE = f"""{HEAD.replace("imageType: raw", "imageType: img")}
defaults: false
systemConfig:
  packages: [systemd-sysv]
  kernel: {{packages: [linux-image-amd64]}}
  users: [{{name: root, startupScript: /root/SHELL}}]
"""


def modes(config: FinalConfig) -> tuple[str, ...]:
    assert config.iso is not None
    return config.iso.modes


PARTITIONS = """
  partitions:
    - {id: esp, type: esp, size: 160MiB, fsType: fat32, mountPoint: /boot/efi}
    - {id: root, type: linux-root-amd64, end: "0", fsType: ext4, mountPoint: /}
"""


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("iso: {mode: live}", ("live",)),
        ("iso: {mode: [unattended, live]}", ("unattended", "live")),
        ("", ("attended",)),
        (f"disk:\n  path: /dev/sda{PARTITIONS}", ("unattended",)),
        (f"disk:\n  selectionPolicy: {{strategy: largest}}{PARTITIONS}", ("unattended",)),
        (f"disk:\n  selectionPolicy: {{requireEmpty: false}}{PARTITIONS}", ("unattended",)),
        ("iso: {answers: {disk: /dev/sda}}", ("unattended",)),
        ("iso: {mode: [attended, live], answers: {disk: /dev/sda}}", ("unattended", "live")),
        ("systemConfig: {initramfs: {template: default-initrd-x86_64.yml}}", ("attended",)),
        ("systemConfig: {initramfs: {template: default-initrd-unattended-x86_64.yml}}", ("unattended",)),
    ],
)
def test_the_recipe_says_what_the_medium_offers_or_its_initramfs_decides(
    body: str, expected: tuple[str, ...], load: Load
) -> None:
    config = load(f"{body}\n", head=ISO)
    assert modes(config) == expected
    assert bool(config.unbuilt) == ("attended" in expected)


@pytest.mark.parametrize("shell", ["attendedinstaller", "unattendedinstaller", "bash"])
def test_a_template_beside_the_recipe_is_a_recipe_of_its_own(shell: str, load: Load, tmp_path: Path) -> None:
    (tmp_path / "own.yml").write_text(TEMPLATE.replace("SHELL", shell))
    config = load("systemConfig: {initramfs: {template: own.yml}}\n", head=ISO)
    assert modes(config) == {"bash": ()}.get(shell, (shell.removesuffix("installer"),))
    assert config.medium is not None
    finals = [file.final for file in config.medium.system.files]
    assert ("/usr/lib/oic/oic_installer/__main__.py" in finals) == (shell != "bash")
    assert finals.count("/init") == 1
    assert ("python3" in config.medium.system.packages) == (shell != "bash")
    assert [user.startup_script for user in config.medium.system.users] == ["/root/bash" if shell == "bash" else ""]


def test_a_live_medium_has_no_installer(load: Load) -> None:
    config = load("iso: {mode: live}\n", head=ISO)
    assert config.medium is not None
    assert [file.final for file in config.medium.system.files] == ["/init", "/usr/lib/oic/complete"]


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        (
            TEMPLATE.replace("imageType: img", "imageType: raw"),
            "expected a recipe for debian/debian12 x86_64 img, found",
        ),
        (
            TEMPLATE.replace("packages: [systemd-sysv]", "packges: []"),
            "own.yml:6: systemConfig.packges: expected a known",
        ),
        ("a: [", "own.yml:2: expected YAML"),
    ],
)
def test_a_template_with_mistakes_is_refused_with_its_lines(
    template: str, expected: str, complain: Complain, tmp_path: Path
) -> None:
    (tmp_path / "own.yml").write_text(template)
    said = complain("systemConfig: {initramfs: {template: own.yml}}\n", head=ISO)
    assert expected in said[0]


def test_a_template_that_is_not_there_is_refused_by_a_build_only(load: Load) -> None:
    config = load("systemConfig: {initramfs: {template: ../own.yml}}\n", head=ISO)
    (said,) = config.unbuilt
    assert said.endswith("beside the recipe or the distribution's defaults, found ../own.yml")
    assert config.iso is None
    assert config.medium is None


def test_which_disk_is_as_the_recipe_says(load: Load) -> None:
    policy = "{strategy: fastest, excludeRemovable: false, requireEmpty: false}"
    config = load(f"disk:\n  selectionPolicy: {policy}{PARTITIONS}", head=ISO)
    assert config.iso is not None
    assert config.iso.choice == DiskChoice(path="", strategy="fastest", exclude_removable=False, require_empty=False)


def test_a_medium_is_to_carry_repositories_with_an_index_only(load: Load) -> None:
    own = "codename: own, url: 'https://own.invalid', component: main"
    further = f"packageRepositories: [{{{own}, pkey: '[trusted=yes]'}}]\n"
    config = load(f"iso: {{repository: true}}\n{further.replace('[trusted=yes]', '/k')}", head=ISO)
    assert config.iso is not None
    assert config.iso.repository
    said = "iso.repository: expected repositories with an index for the medium to carry, found own without one"
    assert said in "\n".join(load(f"iso: {{repository: true}}\n{further}", head=ISO).unbuilt)
    assert said not in "\n".join(load(f"iso: {{repository: false}}\n{further}", head=ISO).unbuilt)


def test_the_answers_are_read_as_the_installer_reads_them(load: Load, complain: Complain) -> None:
    config = load(
        "iso: {mode: unattended, answers: {hostname: edge-7, user.ada.ssh-key: KEY}}\n".replace("KEY", KEY), head=ISO
    )
    assert config.iso is not None
    assert config.iso.answers == f"hostname = edge-7\nuser.ada.ssh-key = {KEY}\n"
    said = complain("iso: {answers: {hostnam: a, disk: sda, network.eth0: 10.0.0.1}}\n", head=ISO)
    assert [line.split(": ", 1)[1] for line in said] == [
        "iso.answers.hostnam: expected a known key, found 'hostnam'; did you mean 'hostname'?",
        "iso.answers.disk: expected a path such as /dev/sda or /dev/disk/by-id/NAME, found 'sda'",
        (
            "iso.answers.network.eth0: expected 'dhcp' or an address with its prefix length such as 192.0.2.10/24, "
            "found '10.0.0.1'"
        ),
    ]


KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFCIDCFRwtXqrIHSqTVzGGmmZAaWkBRDzNQ1X9qTwuYn"


def test_the_answers_may_be_a_file_beside_the_recipe(load: Load, complain: Complain, tmp_path: Path) -> None:
    (tmp_path / "answers").write_text("# the first\nhostname = edge-7\n")
    config = load("iso: {mode: unattended, answers: answers}\n", head=ISO)
    assert config.iso is not None
    assert config.iso.answers == "# the first\nhostname = edge-7\n"
    (tmp_path / "answers").write_text("# the first\nhostnam = edge-7\n")
    (said,) = complain("iso: {mode: unattended, answers: answers}\n", head=ISO)
    assert said.endswith("answers:2: expected a known key, found 'hostnam'; did you mean 'hostname'?")
    (said,) = complain("iso: {mode: unattended, answers: missing}\n", head=ISO)
    assert "iso.answers: expected a file of answers, found" in said


def test_what_has_no_effect_is_said(load: Load) -> None:
    config = load(f"iso: {{mode: live}}\ndisk:\n  size: 4GiB\n  artifacts: [{{type: raw}}]{PARTITIONS}", head=ISO)
    assert [note.split(": ", 1)[1].split(":")[0] for note in config.notes] == ["disk.size", "disk.artifacts"]
    (note,) = load("iso: {mode: live}\n").notes
    assert note.endswith("iso: no effect on an image that is no ISO")
