"""The stand-in is a real repository: Debian's dnf and rpm accept it and install the default lists."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from .catalogue import KEYS
from .fixtures import Standin, standin

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["standin"]

BASE = ("core-packages-base-image", "ca-certificates", "cronie-anacron", "initramfs", "logrotate", "openssh-server")
BOOT = ("efibootmgr", "shadow-utils", "systemd-boot", "systemd-resolved", "systemd-ukify", "veritysetup")
DEFAULTS = {
    "azl3": (
        *(*BASE, *BOOT, "filesystem", "kernel", "azurelinux-release", "shim", "dracut-hostonly", "dracut-vrf"),
        *("dracut-hyperv", "dracut-virtio", "dracut-xen", "hyperv-daemons", "cloud-init", "cloud-utils-growpart"),
    ),
    "emt3": (*BASE, *BOOT, "coreutils", "kernel-drivers-gpu"),
}
SIGNED = {"azl3": True, "emt3": False}
"""Which distributions sign their metadata."""
TOOLS = (
    *("core-packages-container", "createrepo_c", "libisoburn", "mtools", "dosfstools", "e2fsprogs", "squashfs-tools"),
    *("cryptsetup", "veritysetup", "qemu-img", "gptfdisk", "systemd-boot", "util-linux"),
)
MORE = (
    *("curl", "vim", "sudo", "tzdata", "jq", "nano", "wget", "less", "tmux", "htop", "rsync", "tcpdump", "ethtool"),
    *("python3", "bash-completion", "grub2-efi", "grub2-efi-binary", "grub2-pc", "gawk", "unzip", "zstd"),
)

CHANGED = {
    "/etc/group": "useradd and sysusers add theirs",
    "/etc/passwd": "useradd and sysusers add theirs",
    "/etc/shells": "bash adds its names",
    "/proc": "the kernel mounts it while scriptlets run",
}
"""Paths that ``rpm -Va`` may report after an installation, and why."""

MADE = (
    "etc/alternatives/iptables-save",
    *(f"etc/pki/ca-trust/extracted/{name}" for name in ("edk2/cacerts.bin", "java/cacerts", "pem/tls-ca-bundle.pem")),
    "root/.gnupg/pubring.kbx",
    "usr/lib/sysimage/tdnf/history.db",
    "usr/share/cracklib/pw_dict.pwd",
    "var/lib/systemd/catalog/database",
)
"""Files that scriptlets create."""

PROC = 'mkdir -p "$0/proc" && mount -t proc proc "$0/proc" && "$@"; exit $?'
"""Lets systemctl detect that it is in a chroot: it needs /proc, and a process 1 outside the chroot, this shell."""

pytestmark = [
    pytest.mark.mirror,
    pytest.mark.skipif(shutil.which("dnf") is None, reason="needs dnf"),
]


@dataclass(frozen=True)
class Dnf:
    """Debian's dnf with only one repository, whose packages must be signed; `signed`: also its metadata."""

    place: Path
    url: str
    key: str
    ca: Path
    signed: bool = True

    def __call__(self, *words: str) -> subprocess.CompletedProcess[str]:
        options = {
            "reposdir": self.place / "none",
            "varsdir": self.place / "none",
            "cachedir": self.place / "cache",
            "logdir": self.place / "log",
            "install_weak_deps": "False",
            "s.gpgcheck": "1",
            "s.repo_gpgcheck": str(int(self.signed)),
            "s.gpgkey": self.key,
            "s.sslcacert": self.ca,
        }
        # dnf and a scriptlet run gpg, whose agents keep running; they end with the namespace
        user = ["--user", "--map-root-user"] if os.geteuid() else []
        argv = ["unshare", "--fork", "--pid", "--kill-child", "--mount-proc", *user, "sh", "-c", PROC]
        argv += [str(self.place / "root"), "dnf", "-y"]
        argv += ["--installroot", str(self.place / "root"), "--releasever", "3.0", "--repofrompath"]
        argv += [f"s,{self.url}", "--repo", "s", *(f"--setopt={name}={value}" for name, value in options.items())]
        (self.place / "log").mkdir(exist_ok=True)
        env = {"PATH": os.environ["PATH"], "HOME": "/root", "LC_ALL": "C", "no_proxy": "*"}
        return subprocess.run([*argv, *words], env=env, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("distribution", "names"),
    [*((name, (*names, *MORE)) for name, names in DEFAULTS.items()), ("azl3", TOOLS), ("emt3", TOOLS)],
)
def test_the_default_lists_resolve(distribution: str, names: tuple[str, ...], standin: Standin, tmp_path: Path) -> None:
    url = standin.urls[distribution]
    dnf = Dnf(tmp_path, url, f"{url}/repodata/repomd.xml.key", standin.ca, SIGNED[distribution])
    done = dnf("install", "--assumeno", *names)
    assert "Operation aborted" in done.stderr, done.stdout + done.stderr
    assert set(names) <= set(re.findall(r"^ (\S+)", done.stdout, re.MULTILINE))


def test_a_foreign_key_is_refused(standin: Standin, tmp_path: Path) -> None:
    done = Dnf(tmp_path, standin.urls["azl3"], f"file://{KEYS / 'foreign.pub.asc'}", standin.ca)("repoquery", "bash")
    assert "bash" not in done.stdout
    assert "repomd.xml GPG signature verification error: Bad GPG signature" in done.stderr


def test_metadata_are_signed_if_the_distribution_signs_them(standin: Standin) -> None:
    assert {name: (folder / "repodata/repomd.xml.asc").exists() for name, folder in standin.folders.items()} == SIGNED


@pytest.mark.parametrize(("distribution", "foreign"), [("azl3", "emt3"), ("emt3", "azl3")])
def test_every_package_is_signed_by_its_own_distribution(
    distribution: str, foreign: str, standin: Standin, tmp_path: Path
) -> None:
    packages = sorted(map(str, standin.folders[distribution].rglob("*.rpm")))
    for name, good in ((distribution, len(packages)), (foreign, 0)):
        database = ["--dbpath", str(tmp_path / name), "--define", "_pkgverify_level all"]
        subprocess.run(["rpmkeys", *database, "--import", str(KEYS / f"{name}.pub.asc")], check=True)
        done = subprocess.run(["rpmkeys", *database, "-K", *packages], capture_output=True, text=True, check=False)
        assert done.stdout.count("digests signatures OK") == good


def test_the_packages_use_every_feature(standin: Standin) -> None:
    """Compressions, scriptlet languages, capabilities, ghosts, triggers, both kinds of signatures."""
    packages = sorted(map(str, standin.folders["azl3"].rglob("*.rpm")))
    tags = "%{NAME} %{PAYLOADCOMPRESSOR} %{RSAHEADER:pgpsig} %{SIGPGP:pgpsig}\\n"
    said = subprocess.run(
        ["rpm", "-qp", "--nosignature", "--qf", tags, *packages], capture_output=True, text=True, check=True
    )
    assert {line.split()[1] for line in said.stdout.splitlines()} == {"gzip", "xz", "zstd"}
    assert sum("(none)" not in line for line in said.stdout.splitlines()) == 3

    def query(name: str, *words: str) -> str:
        (file,) = standin.folders["azl3"].rglob(f"{name}-[0-9]*.rpm")
        done = subprocess.run(
            ["rpm", "-qp", "--nosignature", *words, str(file)], capture_output=True, text=True, check=True
        )
        return done.stdout

    assert "dracut --quiet --force --regenerate-all" in query("initramfs", "--scripts")
    assert "/lib/modules" in query("initramfs", "--filetriggers")
    assert "<lua>" in query("filesystem", "--scripts")
    assert "/etc/machine-id g" in query("filesystem", "--qf", "[%{FILENAMES} %{FILEFLAGS:fflags}\\n]")
    assert "cap_net_raw=ep" in query("iputils", "--filecaps")
    assert "useradd" in query("openssh-server", "--scripts")
    assert " or " in query("cloud-init", "--requires")
    assert "no counterpart" in query("SymCrypt", "-i")


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: dnf changes its root")
@pytest.mark.parametrize("distribution", list(DEFAULTS))
def test_dnf_installs_the_default_list(distribution: str, standin: Standin, tmp_path: Path) -> None:
    url = standin.urls[distribution]
    dnf = Dnf(tmp_path, url, f"{url}/repodata/repomd.xml.key", standin.ca, SIGNED[distribution])
    done = dnf("install", *DEFAULTS[distribution])
    assert done.returncode == 0, done.stdout + done.stderr
    assert "scriptlet" not in done.stderr, done.stderr
    root = tmp_path / "root"
    rpm = ["env", "HOME=/root", "rpm", "--root", str(root)]  # Debian's rpm keeps its database in the user's home
    listed = subprocess.run([*rpm, "-qa", "--qf", "%{NAME}\\n"], capture_output=True, text=True, check=True)
    assert set(DEFAULTS[distribution]) <= set(listed.stdout.split())
    for made in MADE:
        assert os.path.lexists(root / made), made
    assert len(list((root / "boot").glob("initrd.img-*"))) == 1
    checked = subprocess.run([*rpm, "-Va"], capture_output=True, text=True, check=False)
    found = {line.split()[-1]: line for line in checked.stdout.splitlines()}
    assert found.keys() <= CHANGED.keys(), found
    assert not checked.stderr
