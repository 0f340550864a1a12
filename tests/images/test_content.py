"""What is in an image, and what must never be, as e2fsprogs, mtools, sfdisk and objdump see it."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.images.conftest import Built

pytestmark = pytest.mark.mirror


def run(*argv: object) -> str:
    return subprocess.run([str(word) for word in argv], capture_output=True, text=True, check=True).stdout


def inside(image: Built, command: str) -> str:
    return run("debugfs", "-R", command, image.directory / "fs/rootfs.img")


@pytest.fixture
def edge(built: Callable[[str], Built]) -> Built:
    return built("edge")


def test_nothing_in_it_makes_two_machines_one(edge: Built) -> None:
    assert inside(edge, "cat /etc/machine-id") == ""
    keys = inside(edge, "ls -p /etc/ssh")
    assert "sshd_config" in keys
    assert "ssh_host" not in keys
    for path in ("/var/lib/systemd/random-seed", "/var/lib/dbus/machine-id", "/etc/hostid", "/var/lib/urandom"):
        assert "File not found" in run_all("debugfs", "-R", f"stat {path}", edge.directory / "fs/rootfs.img"), path
    loader = run("mdir", "-b", "-i", edge.directory / "esp.img", "::/loader")
    assert "loader.conf" in loader
    assert "random-seed" not in loader


def run_all(*argv: object) -> str:
    done = subprocess.run([str(word) for word in argv], capture_output=True, text=True, check=True)
    return done.stdout + done.stderr


def test_the_users_password_is_nowhere_but_as_a_hash(edge: Built) -> None:
    assert "admin:$6$" in inside(edge, "cat /etc/shadow")
    argv = ["grep", "-rlaF", "change-me", edge.place / "cache"]
    found = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert found.stdout == ""


def test_the_build_leaves_no_traces(edge: Built) -> None:
    assert "policy-rc.d" not in inside(edge, "ls -p /usr/sbin")
    assert "dpkg.log" not in inside(edge, "ls -p /var/log")
    assert inside(edge, "ls -p /tmp").count("\n") == inside(edge, "ls -p /run").count("\n")
    assert ".deb" not in inside(edge, "ls -p /tmp")


def test_its_file_systems_and_table_are_sound(edge: Built) -> None:
    subprocess.run(["e2fsck", "-fn", edge.directory / "fs/rootfs.img"], check=True, capture_output=True)
    subprocess.run(["fsck.vfat", "-n", edge.directory / "esp.img"], check=True, capture_output=True)
    assert "No errors detected" in run("sfdisk", "--verify", edge.raw)
    table = json.loads(run("sfdisk", "--json", edge.raw))["partitiontable"]
    assert table["label"] == "gpt"
    types = [entry["type"].lower() for entry in table["partitions"]]
    # The discoverable partitions specification's ESP and x86-64 root.
    assert types == ["c12a7328-f81f-11d2-ba4b-00a0c93ec93b", "4f68bce3-e8cd-4db1-96e7-fbcaf984b709"]


def test_the_unified_kernel_image_says_what_it_boots(edge: Built) -> None:
    files = run("mdir", "-b", "-/", "-i", edge.directory / "esp.img", "::/").split()
    assert "::/EFI/BOOT/BOOTX64.EFI" in files
    assert "::/EFI/Linux/edge-1.0.0.efi" in files
    uki = edge.place / "uki.efi"
    subprocess.run(["mcopy", "-n", "-i", edge.directory / "esp.img", "::/EFI/Linux/edge-1.0.0.efi", uki], check=True)
    root = json.loads(run("sfdisk", "--json", edge.raw))["partitiontable"]["partitions"][1]["uuid"].lower()
    run("objcopy", "-O", "binary", "--dump-section", f".cmdline={edge.place}/cmdline", uki, "/dev/null")
    assert f"root=PARTUUID={root} rw" in (edge.place / "cmdline").read_text()


def test_the_manifest_is_of_this_image(edge: Built) -> None:
    manifest = edge.json("edge-1.0.0.manifest.json")
    assert manifest["files"][0]["sha256"] == run("sha256sum", edge.raw).split()[0]
    assert manifest["reproducible"] is True
    listed = {package["name"]: package["version"] for package in manifest["packages"]}
    assert listed == {package["name"]: package["version"] for package in edge.json("lock.json")["sets"]["image"]}
