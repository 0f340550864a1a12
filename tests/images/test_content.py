"""What is in an image, and what must never be, as e2fsprogs, mtools, sfdisk and objdump see it."""

from __future__ import annotations

import json
import re
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from .conftest import Built

pytestmark = pytest.mark.mirror


def run(*argv: object) -> str:
    return subprocess.run([str(word) for word in argv], capture_output=True, text=True, check=True).stdout


def inside(image: Built, command: str) -> str:
    return run("debugfs", "-R", command, image.directory / "fs/rootfs.img")


def names(image: Built, directory: str) -> list[str]:
    """Return what is in a directory of the image; one that is not there has nothing."""
    lines = inside(image, f"ls -p {directory}").splitlines()
    found = [line.split("/")[5] for line in lines if line.startswith("/")]  # /inode/mode/uid/gid/name/size/
    return [name for name in found if name not in (".", "..", "lost+found")]


@pytest.fixture(
    params=[
        "edge",
        "azl3-minimal",
        pytest.param("azl3-edge", marks=pytest.mark.slow),
        pytest.param("emt3-minimal", marks=pytest.mark.slow),
        pytest.param("elxr12-minimal", marks=pytest.mark.slow),
    ]
)
def image(built: Callable[[str], Built], request: pytest.FixtureRequest) -> Built:
    return built(request.param)


def test_nothing_in_it_makes_two_machines_one(image: Built) -> None:
    assert inside(image, "cat /etc/machine-id") == ""
    assert "sshd_config" in names(image, "/etc/ssh")
    assert [name for name in names(image, "/etc/ssh") if "ssh_host" in name] == []
    for path in ("/var/lib/systemd/random-seed", "/var/lib/dbus/machine-id", "/etc/hostid", "/var/lib/urandom"):
        assert "File not found" in run_all("debugfs", "-R", f"stat {path}", image.directory / "fs/rootfs.img"), path
    loader = run("mdir", "-b", "-i", image.directory / "esp.img", "::/loader")
    assert "loader.conf" in loader
    assert "random-seed" not in loader


def run_all(*argv: object) -> str:
    done = subprocess.run([str(word) for word in argv], capture_output=True, text=True, check=True)
    return done.stdout + done.stderr


@pytest.mark.parametrize("name", ["edge", pytest.param("azl3-edge", marks=pytest.mark.slow)])
def test_the_users_password_is_nowhere_but_as_a_hash(built: Callable[[str], Built], name: str) -> None:
    image = built(name)
    assert "admin:$6$" in inside(image, "cat /etc/shadow")
    argv = ["grep", "-rlaF", "change-me", str(image.directory), str(image.place / "cache/layers")]
    found = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert found.stdout == ""


def test_the_build_leaves_no_traces(image: Built) -> None:
    left = {
        "/boot": r"initr.*",
        "/etc": r"\.pwd\.lock|\.updated",
        "/etc/dracut.conf.d": r".*held.*",
        "/root/.gnupg": r"S\..*|.*\.lock",
        "/run": r".*",
        "/tmp": r".*",
        "/usr/lib/dracut/dracut.conf.d": r".*compress.*",
        "/usr/sbin": r"policy-rc\.d",
        "/var/cache/ldconfig": r".*",
        "/var/cache/dnf": r".*",
        "/var/lib/rpm": r"\.rpm\.lock",
        "/var/lib/rpm-state": r".*",
        "/var/log": r"(dpkg|alternatives|dnf.*|tdnf.*|hawkey)\.log",
        "/var/tmp": r".*",
    }
    found = {where: [name for name in names(image, where) if re.fullmatch(what, name)] for where, what in left.items()}
    assert not {where: those for where, those in found.items() if those}


def test_its_file_systems_and_table_are_sound(image: Built) -> None:
    for file_system in image.directory.glob("fs/*.img"):
        subprocess.run(["e2fsck", "-fn", file_system], check=True, capture_output=True)
    subprocess.run(["fsck.vfat", "-n", image.directory / "esp.img"], check=True, capture_output=True)
    assert "No errors detected" in run("sfdisk", "--verify", image.raw)
    table = json.loads(run("sfdisk", "--json", image.raw))["partitiontable"]
    assert table["label"] == "gpt"
    first, second, *_ = [entry["type"].lower() for entry in table["partitions"]]
    # The discoverable partitions specification's ESP and x86-64 root.
    assert first == "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"
    assert second == "4f68bce3-e8cd-4db1-96e7-fbcaf984b709"


def test_the_unified_kernel_image_says_what_it_boots(image: Built) -> None:
    name = f"::/EFI/Linux/{image.name}-1.0.0.efi"
    files = run("mdir", "-b", "-/", "-i", image.directory / "esp.img", "::/").split()
    assert {"::/EFI/BOOT/BOOTX64.EFI", name} <= set(files)
    uki = image.place / "uki.efi"
    subprocess.run(["mcopy", "-n", "-i", image.directory / "esp.img", name, uki], check=True)
    root = json.loads(run("sfdisk", "--json", image.raw))["partitiontable"]["partitions"][1]["uuid"].lower()
    run("objcopy", "-O", "binary", "--dump-section", f".cmdline={image.place}/cmdline", uki, "/dev/null")
    assert f"root=PARTUUID={root} rw" in (image.place / "cmdline").read_text()


def test_the_manifest_is_of_this_image(image: Built) -> None:
    manifest = image.json(f"{image.name}-1.0.0.manifest.json")
    (file,) = manifest["files"]
    assert file["sha256"] == run("sha256sum", image.directory / file["name"]).split()[0]
    assert manifest["reproducible"] is True
    assert manifest["unsigned"] == []
    assert {package["name"]: package["version"] for package in manifest["packages"]} == image.packages()
