"""The rootfs stage and mmdebstrap install the same packages: the same tree, but for what is listed here and why."""

from __future__ import annotations

import fnmatch
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from .tree_oracle import Installed, compared, dpkg_says, installed, mmdebstrapped, required_names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

pytestmark = [
    pytest.mark.mirror,
    pytest.mark.skipif(os.geteuid() != 0, reason="mmdebstrap --mode=root needs root"),
    pytest.mark.skipif(not shutil.which("mmdebstrap"), reason="needs mmdebstrap: apt-get install mmdebstrap"),
]

PROJECT = Path(__file__).parents[3]
RECIPES = PROJECT / "recipes"

ONLY_MMDEBSTRAP = (
    # the state of an apt that has run over the tree; none has over ours
    "etc/apt/sources.list",
    "var/cache/apt/archives/lock",
    "var/cache/apt/archives/partial",
    "var/lib/apt/extended_states",
    "var/lib/apt/lists/lock",
    "var/lib/apt/lists/partial",
    "var/lib/dpkg/arch",
    # what mmdebstrap takes from the host, and the copy that systemd-resolved keeps of it
    "etc/hostname",
    "etc/resolv.conf",
    "etc/.resolv.conf.systemd-resolved.bak",
    # device nodes: /dev is never part of a layer
    "dev/*",
    # the system stage writes it
    "etc/fstab",
    # locks
    "etc/.pwd.lock",
    "var/lib/dpkg/lock",
    "var/lib/dpkg/lock-frontend",
    "var/lib/dpkg/triggers/Lock",
    # a tmpfs on the machine
    "run/*",
    # what must differ between machines and is made at first boot
    "etc/machine-id",
    "etc/ssh/ssh_host_*_key",
    "etc/ssh/ssh_host_*_key.pub",
    "etc/ssl/certs/ssl-cert-snakeoil.pem",
    "etc/ssl/private/ssl-cert-snakeoil.key",
    # the state before the last change of the file beside it
    "var/cache/debconf/*-old",
    "var/lib/dpkg/*-old",
)
"""Paths that only mmdebstrap's tree has. No path may be in ours alone."""

APT_OWNS = ("var/cache/apt/archives/partial", "var/lib/apt/lists/partial")
"""An apt that runs gives these directories, where a package ships them, to its own user."""

RANDOM = (
    # what a script draws or dates anew each time it runs: mmdebstrap run twice differs here too
    "etc/aliases.db",
    "etc/ssl/certs/java/cacerts",
    "var/lib/postgresql/*/main/global/pg_control",
    "var/lib/postgresql/*/main/pg_stat/pgstat.stat",
    "var/lib/postgresql/*/main/pg_wal/*",
    # the name of the host it runs on, in mmdebstrap's case this one's; ours is always localhost
    "etc/postfix/main.cf",
    "var/cache/debconf/config.dat",
    # the state before the last change of the file beside it, whose order is the packages'
    "usr/share/info/dir.old",
)
"""Paths whose content alone may differ, in the big set only; their type, mode, owner and time do not."""

HASH_LINK = "etc/ssl/certs/????????.0"
"""Named by the hash of a certificate; the one for the snakeoil certificate has another name each time."""

# Chosen for what makes installing hard; each line says for what. What they need comes with them.
BIG = """
molly-guard live-tools safe-rm vim vim-tiny dash klibc-utils                             # divert others' files
apache2-suexec-pristine at cron ntfs-3g openssh-server postfix screen ssl-cert sudo      # own modes and owners
iputils-ping monitoring-plugins-basic mtr-tiny tcpdump wireshark-common                  # set file capabilities
desktop-file-utils fontconfig fonts-dejavu-core hicolor-icon-theme libgdk-pixbuf2.0-bin  # file triggers
libglib2.0-bin libgtk-3-bin man-db menu mime-support shared-mime-info install-info info  # file triggers
docbook-xml sgml-base xml-core aspell-en dictionaries-common wamerican                   # named triggers
ca-certificates initramfs-tools cryptsetup-initramfs mdadm lvm2 plymouth                 # awaited triggers
nano ed joe gawk emacs-nox fakeroot openjdk-17-jre-headless zsh tmux                     # alternatives
build-essential git libssl3 python3-dev ruby xfsprogs e2fsprogs uuid-runtime             # Multi-Arch: same
apache2 avahi-daemon chrony gpm mosquitto network-manager nfs-common nginx-light openvpn # system users
policykit-1 postgresql redis-server rsyslog snmpd systemd-resolved udisks2 ufw           # system users
apt-listchanges python3-apt python3-gi python3-pip python3-requests python3-venv         # byte compilation
python3-yaml unattended-upgrades                                                         # byte compilation
apparmor bash-completion console-setup dbus-user-session dirmngr fuse3 gnupg iproute2    # conffiles, units
iptables isc-dhcp-client krb5-user ldap-utils libnss-mdns libpam-systemd locales         # conffiles, units
logrotate lsof mailutils ncurses-term php-cli rsync samba-common-bin smartmontools       # conffiles, units
cups-client systemd-sysv tzdata udev update-inetd apt apt-utils                          # conffiles, units
"""


def big_names(_index: str) -> list[str]:
    return [word for line in BIG.splitlines() for word in line.partition("#")[0].split()]


def unexplained(different: dict[str, tuple[Any, Any]], random: Iterable[str]) -> dict[str, tuple[Any, Any]]:
    return {path: pair for path, pair in different.items() if not _explained(path, *pair, tuple(random))}


def _explained(path: str, ours: Any, theirs: Any, random: Sequence[str]) -> bool:
    if ours is None:
        return _named(path, ONLY_MMDEBSTRAP) or _is_snakeoil(path, theirs, random)
    if theirs is None:
        return _is_snakeoil(path, ours, random)
    without_content = [[*entry[:4], *entry[5:]] for entry in (ours, theirs)]
    return path in APT_OWNS or (_named(path, random) and without_content[0] == without_content[1])


def _is_snakeoil(path: str, entry: Any, random: Sequence[str]) -> bool:
    return bool(random) and _named(path, [HASH_LINK]) and entry[4] == "ssl-cert-snakeoil.pem"


def _named(path: str, patterns: Iterable[str]) -> bool:
    return any(fnmatch.fnmatchcase(path, pattern) for pattern in patterns)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """Give a directory in memory where there is enough of it: on a disk, mmdebstrap waits for it most of the time."""
    memory = Path("/dev/shm")
    room = shutil.disk_usage(memory).free if memory.is_dir() else 0
    where = Path(tempfile.mkdtemp(dir=memory if room > 8 << 30 else tmp_path, prefix="oic-tree-"))
    where.chmod(0o755)
    (where / "cache").mkdir()
    if seed := os.environ.get("OIC_TEST_STORE"):  # packages of an earlier run, and of this one for the next
        (where / "cache/store").symlink_to(Path(seed).absolute())
    yield where
    shutil.rmtree(where)


def same_trees(
    recipe: str, place: Path, names: Callable[[str], Sequence[str]] | None, variant: str, random: Iterable[str] = ()
) -> Installed:
    """Install both ways; fail on any difference that is not listed."""
    given = installed(RECIPES / recipe, place / "cache", names)
    other = mmdebstrapped(given, place, variant)
    different, paths = compared(given, other, place / "merged")
    print(f"{len(given.packages)} packages, {paths} paths, {len(different)} different")  # noqa: T201 - shown by -rP
    assert unexplained(different, random) == {}
    says = dpkg_says(given, other, place)
    assert says["audit"] == ("", "")
    ours, theirs = (sorted(text.splitlines()) for text in says["verify"])
    assert ours == theirs, "the files that scripts have changed are the same"
    assert paths > 60 * len(given.packages), "there was something to compare"
    return given


def test_minbase_gives_the_tree_of_mmdebstrap(place: Path) -> None:
    same_trees("minimal.yml", place, required_names, "minbase")


@pytest.mark.slow
def test_edge_gives_the_tree_of_mmdebstrap(place: Path) -> None:
    same_trees("edge.yml", place, None, "essential")


@pytest.mark.slow
def test_a_difficult_set_gives_the_tree_of_mmdebstrap(place: Path) -> None:
    given = same_trees("minimal.yml", place, big_names, "essential", RANDOM)
    assert len(given.packages) >= 300


@pytest.mark.slow
def test_debian_13_gives_the_tree_of_mmdebstrap(place: Path) -> None:
    same_trees("debian13-minimal.yml", place, required_names, "minbase")
